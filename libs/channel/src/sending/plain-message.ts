// Requests, events and answers whose data are raw bytes, for applications without Nest (docs/protocol.md §6.2, §6.3, §6.6):
//   call     prefix(4 or 8) ‖ u16 len(pattern) ‖ pattern ‖ u16 0 ‖ encoding 01 ‖ bytes
//   answer   encoding 01 ‖ bytes
//   error    encoding 00 ‖ JSON
import { TRANSPORT_ERROR_CODES, TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';
import { SEQUENCE_BYTES, TIMEOUT_BYTES } from '../frame/prefix.js';
import { OutgoingMessage } from './outgoing-message.js';

const LENGTH_BYTES = 2;
const MAX_PATTERN_BYTES = 0xffff;
const JSON_TEXT = 0;
const RAW_BYTES = 1;
const OF_JSON = Buffer.of(JSON_TEXT);
const OF_RAW_BYTES = Buffer.of(RAW_BYTES);

/** A request or an event, as it was received. */
export interface PlainCall {
  readonly pattern: string;
  /** A copy of the bytes that the client sent. */
  readonly body: Buffer;
}

/**
 * @param body - Copied: it may change afterwards.
 * @param timeoutMs - 0: none.
 * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` - a pattern of more than 65,535 bytes.
 */
export function encodePlainRequest(pattern: string, body: Uint8Array, timeoutMs: number): OutgoingMessage {
  const message = new OutgoingMessage(OF_RAW_BYTES, copyOf(body), {
    prefixBytes: TIMEOUT_BYTES,
    bytes: headOf(pattern),
  });
  message.prefix = timeoutMs;
  return message;
}

/** As {@link encodePlainRequest}. The stream sets the sequence when the turn of the event has come. */
export function encodePlainEvent(pattern: string, body: Uint8Array): OutgoingMessage {
  return new OutgoingMessage(OF_RAW_BYTES, copyOf(body), { prefixBytes: SEQUENCE_BYTES, bytes: headOf(pattern) });
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` - cut short, or data of another encoding than 01. */
export function decodePlainCall(message: Buffer, prefixBytes: typeof TIMEOUT_BYTES | typeof SEQUENCE_BYTES): PlainCall {
  const patternEnd = endOfPart(message, prefixBytes);
  const metadataEnd = endOfPart(message, patternEnd);
  const pattern = message.toString('utf8', prefixBytes + LENGTH_BYTES, patternEnd);
  return { pattern, body: decodePlainAnswer(message, metadataEnd) };
}

export function encodePlainAnswer(body: Uint8Array): OutgoingMessage {
  return new OutgoingMessage(OF_RAW_BYTES, copyOf(body));
}

/**
 * @param data - Its encoding is at `start`.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - data of another encoding than 01.
 */
export function decodePlainAnswer(data: Buffer, start = 0): Buffer {
  if (data[start] === RAW_BYTES) return copyOf(data.subarray(start + 1));
  throw new TransportError('ERR_MESSAGE_MALFORMED', `Data of encoding ${data[start] ?? 'none'}; expected 1, raw bytes`);
}

/** A code says that the transport failed, and not the handler. */
export interface PlainError {
  readonly message: string;
  readonly code?: TransportErrorCode;
}

export function encodePlainError(error: PlainError): OutgoingMessage {
  return new OutgoingMessage(OF_JSON, JSON.stringify({ status: 'error', ...error }));
}

/** Codes that say that no handler has begun (R6.35). */
const NEVER_RAN: ReadonlySet<unknown> = new Set(['ERR_OVERLOADED', 'ERR_FORBIDDEN', 'ERR_SHUTTING_DOWN']);

/** Returns a `TransportError` if the peer sent a code of this protocol, else an `Error` with its message. */
export function decodePlainError(data: Buffer): Error {
  const { code, message } = readError(data);
  const known = TRANSPORT_ERROR_CODES.find((name) => name === code);
  const text = typeof message === 'string' ? message : 'The server answered with an error';
  return known === undefined ? new Error(text) : new TransportError(known, text, { sent: !NEVER_RAN.has(code) });
}

function readError(data: Buffer): { readonly code?: unknown; readonly message?: unknown } {
  if (data[0] !== JSON_TEXT) return {};
  try {
    const error: unknown = JSON.parse(data.toString('utf8', 1));
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {}; // not JSON
  }
}

function headOf(pattern: string): Buffer {
  const patternBytes = Buffer.byteLength(pattern);
  if (patternBytes > MAX_PATTERN_BYTES) {
    const message = `The pattern has ${patternBytes} bytes; expected at most ${MAX_PATTERN_BYTES}`;
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', message, { sent: false });
  }
  const head = Buffer.alloc(2 * LENGTH_BYTES + patternBytes);
  head.writeUInt16BE(patternBytes);
  head.write(pattern, LENGTH_BYTES);
  return head;
}

/** @returns Where the part that begins at `start` with its length ends. */
function endOfPart(message: Buffer, start: number): number {
  const end = message.length - start < LENGTH_BYTES ? Infinity : start + LENGTH_BYTES + message.readUInt16BE(start);
  if (end <= message.length) return end;
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'The head of the message is cut short');
}

/** In memory of its own: views of a record or of a pool would show other messages. */
function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.alloc(bytes.length, bytes);
}
