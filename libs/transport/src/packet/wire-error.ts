// The failures of the transport on the wire (docs/protocol.md §6.6), which are the data of an ERROR frame.
import { TransportError } from '@sealwire/channel';
import { codeOf, failureOf, isWireError, refusalOf } from '@sealwire/channel/internal';

import { stringifyJson } from './json.js';
import { isJsonData } from './payload.js';

/** Returns the wire code for a message whose content cannot be read. */
export function contentCodeOf(error: unknown): 'ERR_MESSAGE_MALFORMED' | 'ERR_MESSAGE_TOO_COMPLEX' {
  return codeOf(error) === 'ERR_MESSAGE_TOO_COMPLEX' ? 'ERR_MESSAGE_TOO_COMPLEX' : 'ERR_MESSAGE_MALFORMED';
}

/**
 * Returns the failure of an ERROR that comes from the transport; undefined if it comes from the application.
 *
 * @param data - The data of the ERROR, encoded. @param value - The same, decoded.
 */
export function readWireError(data: Buffer, value: unknown): TransportError | undefined {
  return isJsonData(data) && isWireError(value) ? failureOf(value) : undefined;
}

/** Reads an error as {@link readWireError} does, for an ERROR that refuses an event, so that no handler was called. */
export function readRefusal(data: Buffer, value: unknown): TransportError | undefined {
  return isJsonData(data) && isWireError(value) ? refusalOf(value) : undefined;
}

/**
 * Returns the failure of an application in the form in which it is sent. It is marked if a client would mistake it for a
 * failure of the transport (R6.34). Checks and returns the JSON of the object, because a `toJSON` may change it.
 */
export function asApplicationError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || error instanceof Uint8Array) return error;
  const text = stringifyJson(error);
  if (text === undefined) return error;
  const written: unknown = JSON.parse(text);
  if (!isWireError(written)) return written;
  return { ...written, application: true };
}
