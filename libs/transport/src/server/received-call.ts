import type { MsPattern } from '@nestjs/microservices';

import type { Call, ReceivedCall } from '../packet/message.js';
import { checkDeserialized } from '../packet/packet.js';
import type { HandlerHost } from './handler-host.js';

/** Passes a call to the user's deserializer. Nest distinguishes requests from events by the id. */
export function deserializeCall(
  { deserializer }: HandlerHost,
  call: ReceivedCall,
  isRequest: boolean,
): Call | Promise<Call> {
  if (deserializer === undefined) return call;
  const { weight: _weight, ...fields } = call;
  return deserializer.deserialize(isRequest ? { ...fields, id: '0' } : fields, { channel: call.pattern });
}

/**
 * Checks the result of a deserializer. Its pattern may be of any kind; the handler and its context get the same route.
 *
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - the result is not a packet.
 */
export function toReceivedCall(host: HandlerHost, call: Call, received: ReceivedCall): ReceivedCall {
  if (call === received) return received;
  const pattern: MsPattern | undefined = checkDeserialized(call).pattern;
  const isRoute = typeof pattern === 'string' || pattern === undefined;
  const { metadata, data } = call;
  return { pattern: isRoute ? call.pattern : host.toRoute(pattern), metadata, data, weight: received.weight };
}
