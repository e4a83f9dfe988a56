import { types } from 'node:util';

import { brand } from '@sealwire/crypto/internal';

/** All error codes, each with the side at fault. `docs/errors.md` explains each code; a test compares the two. */
const FAULT_OF = {
  ERR_ALERT: 'peer',
  ERR_ANSWER_OVERFLOW: 'caller',
  ERR_BAD_MAC: 'peer',
  ERR_BAD_OPTION: 'caller',
  ERR_CLIENT_CLOSED: 'caller',
  ERR_CONNECT_FAILED: 'network',
  ERR_CONNECT_TIMEOUT: 'network',
  ERR_CONNECTION_CLOSED: 'peer',
  ERR_CONNECTION_DRAINING: 'peer',
  ERR_CONNECTION_LOST: 'network',
  ERR_CREDIT_FLOOD: 'peer',
  ERR_CREDIT_STALLED: 'network',
  ERR_CREDIT_UNEARNED: 'peer',
  ERR_EARLY_BYTES: 'peer',
  ERR_FORBIDDEN: 'peer',
  ERR_FRAME_MALFORMED: 'peer',
  ERR_FRAME_UNEXPECTED: 'peer',
  ERR_HANDSHAKE_MALFORMED: 'peer',
  ERR_HANDSHAKE_TIMEOUT: 'network',
  ERR_INCOMPLETE_LIMIT: 'peer',
  ERR_IN_FLIGHT_LIMIT: 'peer',
  ERR_INSTANCE_PROOF: 'peer',
  ERR_INTERNAL: 'caller',
  ERR_KEY_EXHAUSTED: 'peer',
  ERR_KEY_REVOKED: 'peer',
  ERR_KEY_UPDATE_FLOOD: 'peer',
  ERR_LEGACY_KEY_SHARED: 'caller',
  ERR_LEGACY_MALFORMED: 'peer',
  ERR_LEGACY_TIMEOUT: 'network',
  ERR_LISTEN_FAILED: 'caller',
  ERR_MESSAGE_MALFORMED: 'peer',
  ERR_MESSAGE_STALLED: 'network',
  ERR_MESSAGE_TOO_COMPLEX: 'caller',
  ERR_MESSAGE_TOO_LARGE: 'caller',
  ERR_MESSAGE_UNSERIALIZABLE: 'caller',
  ERR_NOT_CONNECTED: 'caller',
  ERR_OVERLOADED: 'peer',
  ERR_PEER_LIMITS: 'peer',
  ERR_PING_TIMEOUT: 'network',
  ERR_QUEUE_FULL: 'caller',
  ERR_RECORD_LENGTH: 'peer',
  ERR_RECORD_MALFORMED: 'peer',
  ERR_RECORD_STALLED: 'network',
  ERR_RECORD_UNEXPECTED: 'peer',
  ERR_REQUEST_TIMEOUT: 'network',
  ERR_SELF_CONNECTION: 'peer',
  ERR_SESSION_EXPIRED: 'peer',
  ERR_SHUTTING_DOWN: 'peer',
  ERR_STRANGER_EVICTED: 'network',
  ERR_STREAM_CUT: 'peer',
  ERR_STREAMS_EXHAUSTED: 'caller',
  ERR_TRUNCATED: 'network',
  ERR_UNKNOWN_KEY: 'peer',
  ERR_WRITE_STALLED: 'network',
} as const;

/** The code of a {@link TransportError}. */
export type TransportErrorCode = keyof typeof FAULT_OF;
/** The side at fault. */
export type Fault = (typeof FAULT_OF)[TransportErrorCode];

/** All codes in alphabetical order. `docs/errors.md` explains each. */
export const TRANSPORT_ERROR_CODES = Object.keys(FAULT_OF) as readonly TransportErrorCode[];

export interface TransportErrorOptions extends ErrorOptions {
  /** `false`: no handler can have run, because no byte of the message was written, or because the server refused it. */
  readonly sent?: boolean;
}

/** The error class of this library. Match on `code`; `message` may change. */
export class TransportError extends Error {
  static {
    brand(this, 'transport/TransportError');
  }

  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;
  /** Whether a handler may have run, for the failure of a message; undefined for other failures. */
  readonly sent: boolean | undefined;

  constructor(code: TransportErrorCode, message: string, options?: TransportErrorOptions) {
    super(message, options);
    this.code = code;
    this.sent = options?.sent;
  }

  get fault(): Fault {
    return FAULT_OF[this.code];
  }

  /** Returns a copy of this error for one message, with `sent` set. */
  ofMessage(sent: boolean): TransportError {
    return new TransportError(this.code, this.message, { cause: this.cause, sent });
  }
}

/** Returns the error of a connection whose key was revoked, at either end. @param keyId - In hexadecimal digits. */
export function keyRevoked(keyId: string): TransportError {
  return new TransportError('ERR_KEY_REVOKED', `Key ${keyId} was revoked: give the client another key`);
}

/**
 * Returns a `TransportError` unchanged. An error of another class is a defect, because every exception in this code ends
 * a connection, and becomes `ERR_INTERNAL`.
 */
export function toTransportError(error: unknown): TransportError {
  if (isTransportError(error)) return error;
  return new TransportError('ERR_INTERNAL', 'The transport failed unexpectedly; see `cause`', { cause: error });
}

/**
 * Returns true also for a `RemoteError` and for an error of another realm, such as a test file of Jest. Never throws,
 * although `instanceof` calls the traps of a proxy.
 */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/** Returns the code of a failure of this transport; undefined for any other value, even one that throws on access. */
export function codeOf(error: unknown): TransportErrorCode | undefined {
  try {
    return error instanceof TransportError ? error.code : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks as `instanceof` does, for a value that user code may have thrown. Never throws; returns false if the code of
 * the value cannot be read.
 */
export function isTransportError(value: unknown): value is TransportError {
  return codeOf(value) !== undefined;
}
