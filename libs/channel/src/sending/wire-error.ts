// The failures of the transport on the wire (docs/protocol.md §6.6): an ERROR whose data is JSON with these three members.
import { codeOf, TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';
import { isObject } from '../options/option-check.js';

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

/** Returns whether a failure with this code means that no handler has started (R6.35). */
export function neverRan(code: string): boolean {
  const meaning: Meaning | undefined = isWireCode(code) ? MEANINGS[code] : undefined;
  return meaning?.neverRan === true;
}

function isWireCode(code: string): code is WireErrorCode {
  return Object.hasOwn(MEANINGS, code);
}

/** Returns the wire code for an answer that cannot be sent. */
export function answerCodeOf(error: unknown): WireErrorCode {
  const code = codeOf(error);
  return code !== undefined && isWireCode(code) ? code : 'ERR_MESSAGE_UNSERIALIZABLE';
}

/** Returns whether `value` has exactly the three members of a {@link WireError}. */
export function isWireError(value: unknown): value is WireError {
  if (!isObject(value) || Object.keys(value).length !== 3) return false;
  const { status, message, code } = value;
  return status === 'error' && typeof message === 'string' && typeof code === 'string' && isWireCode(code);
}

/**
 * Returns the failure that an ERROR for a request stands for. The message is the one of this side, because the text of the
 * peer is ignored (R6.33).
 */
export function failureOf({ code }: WireError): TransportError {
  const meaning: Meaning = MEANINGS[code];
  return new TransportError(code, meaning.message, { sent: meaning.neverRan !== true });
}

/** Returns the refusal that an ERROR for an event stands for, so that no handler was called; undefined for any other ERROR. */
export function refusalOf({ code }: WireError): TransportError | undefined {
  const meaning: Meaning = MEANINGS[code];
  if (meaning.ofRequestsOnly === true) return undefined;
  return new TransportError(code, meaning.message, { sent: false });
}
