import { TransportError } from '../errors.js';

/** Returns the error for a frame that is not allowed at this point. */
export function unexpected(what: string): TransportError {
  return new TransportError('ERR_FRAME_UNEXPECTED', `Unexpected frame: ${what}`);
}
