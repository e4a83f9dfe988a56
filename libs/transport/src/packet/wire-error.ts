// The failures of the transport on the wire (docs/protocol.md §6.6), which are the data of an ERROR frame.
import { TransportError } from '@sealwire/channel';
import type { TransportErrorCode } from '@sealwire/channel';

import { stringifyJson } from './json.js';
import { isJsonData } from './payload.js';

export interface WireError {
  readonly status: 'error';
  readonly message: string;
  readonly code: WireErrorCode;
}

interface Meaning {
  readonly message: string;
  /** No handler has started, so the call may be repeated at another server (R6.35). */
  readonly neverRan?: true;
  /** The code is never the refusal of an event. */
  readonly ofRequestsOnly?: true;
}

const MEANINGS = {
  ERR_OVERLOADED: { message: 'The server is overloaded; the handler did not run', neverRan: true },
  ERR_FORBIDDEN: { message: 'This key may not call this pattern', neverRan: true },
  ERR_SHUTTING_DOWN: { message: 'The server is shutting down; the handler did not run', neverRan: true },
  ERR_MESSAGE_MALFORMED: { message: 'The message is malformed' },
  ERR_MESSAGE_TOO_COMPLEX: { message: 'The message has too many JSON values' },
  ERR_REQUEST_TIMEOUT: { message: 'The request timed out' },
  ERR_MESSAGE_UNSERIALIZABLE: { message: "The answer cannot be serialized; see the server's log" },
  ERR_MESSAGE_TOO_LARGE: { message: 'The answer is larger than the client accepts' },
  ERR_ANSWER_OVERFLOW: {
    message: 'The answer could not be queued: the client reads too slowly',
    ofRequestsOnly: true,
  },
  ERR_STREAM_CUT: { message: 'The server shut down before the answer was complete', ofRequestsOnly: true },
} as const satisfies Partial<Record<TransportErrorCode, Meaning>>;

export type WireErrorCode = keyof typeof MEANINGS;

/** The codes with which a server may refuse an event (R6.14). */
export type RefusalCode =
  'ERR_OVERLOADED' | 'ERR_FORBIDDEN' | 'ERR_SHUTTING_DOWN' | 'ERR_MESSAGE_MALFORMED' | 'ERR_MESSAGE_TOO_COMPLEX';

export function wireError(code: WireErrorCode): WireError {
  return { status: 'error', message: MEANINGS[code].message, code };
}

/** Returns the wire code for an answer that cannot be sent. */
export function answerCodeOf(error: unknown): WireErrorCode {
  return error instanceof TransportError && isWireCode(error.code) ? error.code : 'ERR_MESSAGE_UNSERIALIZABLE';
}

/** Returns the wire code for a message whose content cannot be read. */
export function contentCodeOf(error: unknown): 'ERR_MESSAGE_MALFORMED' | 'ERR_MESSAGE_TOO_COMPLEX' {
  const isTooComplex = error instanceof TransportError && error.code === 'ERR_MESSAGE_TOO_COMPLEX';
  return isTooComplex ? 'ERR_MESSAGE_TOO_COMPLEX' : 'ERR_MESSAGE_MALFORMED';
}

/**
 * Returns the failure of an ERROR that comes from the transport; undefined if it comes from the application. The message
 * is the one of this side, because the text of the peer is ignored (R6.33).
 *
 * @param data - The data of the ERROR, encoded. @param value - The same, decoded.
 */
export function readWireError(data: Buffer, value: unknown): TransportError | undefined {
  const code = isJsonData(data) ? codeIn(value) : undefined;
  if (code === undefined) return undefined;
  const meaning: Meaning = MEANINGS[code];
  return new TransportError(code, meaning.message, { sent: meaning.neverRan !== true });
}

/** As {@link readWireError}, for an ERROR that refuses an event, so that no handler was called. */
export function readRefusal(data: Buffer, value: unknown): TransportError | undefined {
  const error = readWireError(data, value);
  if (error === undefined || !isWireCode(error.code)) return undefined;
  const meaning: Meaning = MEANINGS[error.code];
  return meaning.ofRequestsOnly === true ? undefined : error.ofMessage(false);
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
  if (typeof written !== 'object' || codeIn(written) === undefined) return written;
  return { ...written, application: true };
}

/** Returns the code of an object that has exactly the three members of a {@link WireError}. */
function codeIn(value: unknown): WireErrorCode | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (!('status' in value) || !('message' in value) || !('code' in value)) return undefined;
  if (Object.keys(value).length !== 3 || value.status !== 'error' || typeof value.message !== 'string')
    return undefined;
  return typeof value.code === 'string' && isWireCode(value.code) ? value.code : undefined;
}

function isWireCode(code: string): code is WireErrorCode {
  return Object.hasOwn(MEANINGS, code);
}
