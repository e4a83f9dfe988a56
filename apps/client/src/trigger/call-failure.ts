import { TransportError } from '@sealwire/transport';

import { HandlerFailure } from '../http/handler-failure.js';
import { HttpFailure } from '../http/http-failure.js';

/** What Nest answers where no handler has the pattern; it has no other mark. */
const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

/** Tells the failures of a call apart: of the channel, of this app, no handler, or what the handler failed with. */
export function toCallFailure(error: unknown): Error {
  if (error instanceof TransportError || error instanceof HttpFailure) return error;
  if (error === NO_HANDLER) return new HttpFailure('ERR_NO_HANDLER', 'The server has no handler for this pattern');
  return new HandlerFailure(error);
}
