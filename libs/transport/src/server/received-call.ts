import type { MsPattern } from '@nestjs/microservices';

import type { Call, ReceivedCall } from '../packet/message.js';
import { checkDeserialized } from '../packet/packet.js';
import type { HandlerHost } from './handler-host.js';

/** What the user's deserializer makes of a call. Nest tells requests from events by the id. */
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
 * The handler and its context are given the same route, whatever kind of pattern a deserializer returned.
 *
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not a packet.
 */
export function toReceivedCall(host: HandlerHost, call: Call, received: ReceivedCall): ReceivedCall {
  if (call === received) return received;
  const pattern: MsPattern | undefined = checkDeserialized(call).pattern;
  const isRoute = typeof pattern === 'string' || pattern === undefined;
  const { metadata, data } = call;
  return { pattern: isRoute ? call.pattern : host.toRoute(pattern), metadata, data, weight: received.weight };
}
