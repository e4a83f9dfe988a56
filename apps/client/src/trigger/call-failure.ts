import { NO_MESSAGE_HANDLER, TransportError } from '@sealwire/transport';

import { HandlerFailure } from '../http/failure/handler-failure.js';
import { HttpFailure } from '../http/failure/http-failure.js';

/** Converts the error of a call: failures of the channel and of this app are kept, others come from the server. */
export function toCallFailure(error: unknown): Error {
  if (error instanceof TransportError || error instanceof HttpFailure) return error;
  if (error === NO_MESSAGE_HANDLER)
    return new HttpFailure('ERR_NO_HANDLER', 'The server has no handler for this pattern');
  return new HandlerFailure(error);
}
