import { TransportError } from '../errors.js';

/** A frame that must not come at this point. */
export function unexpected(what: string): TransportError {
  return new TransportError('ERR_FRAME_UNEXPECTED', what);
}
