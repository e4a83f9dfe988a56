// Requests, events and answers whose data are raw bytes, for applications without Nest (docs/protocol.md §6.2, §6.3,
// §6.6):
//   call     prefix(4 or 8) ‖ u16 len(pattern) ‖ pattern ‖ u16 0 ‖ encoding 01 ‖ bytes
//   answer   encoding 01 ‖ bytes
//   error    encoding 00 ‖ JSON, or encoding 04 ‖ text
import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';

import { TransportError } from '../errors.js';
import { SEQUENCE_BYTES, TIMEOUT_BYTES } from '../frame/prefix.js';
import { isObject } from '../options/option-check.js';
import { encodeHead, endOfPart, PART_LENGTH_BYTES } from './head.js';
import { OutgoingMessage } from './outgoing-message.js';
import { failureOf, isWireError, refusalOf, wireError } from './wire-error.js';
import type { WireErrorCode } from './wire-error.js';

const LONE_SURROGATE = /\p{Surrogate}/u;
const JSON_TEXT = 0;
const RAW_BYTES = 1;
const TEXT = 4;
const OF_JSON = Buffer.of(JSON_TEXT);
const OF_RAW_BYTES = Buffer.of(RAW_BYTES);

/** A request or an event, as it was received. */
export interface PlainCall {
  readonly pattern: string;
  /** A copy of the bytes that the client sent. */
  readonly body: Buffer;
}

/**
 * Encodes a call. The stream sets the prefix later: the sequence of an event is known when it begins, and the remaining
 * time of a request when there is a connection.
 *
 * @param body - Copied: it may change afterwards.
 * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` - a pattern of more than 65,535 bytes; `ERR_BAD_OPTION` - a pattern that is
 *   not well-formed text; `ERR_MESSAGE_UNSERIALIZABLE` - a body that is not a Uint8Array.
 */
export function encodePlainCall(kind: 'REQUEST' | 'EVENT', pattern: string, body: Uint8Array): OutgoingMessage {
  const prefixBytes = kind === 'EVENT' ? SEQUENCE_BYTES : TIMEOUT_BYTES;
  const head = encodeHead(checkPattern(pattern), '', prefixBytes);
  return new OutgoingMessage(OF_RAW_BYTES, copyOf(checkBytes('The body', body)), head);
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` - bad content, or data with an encoding other than 01. */
export function decodePlainCall(kind: 'REQUEST' | 'EVENT', message: Buffer): PlainCall {
  const prefixBytes = kind === 'EVENT' ? SEQUENCE_BYTES : TIMEOUT_BYTES;
  const patternEnd = endOfPart(message, prefixBytes);
  const metadataEnd = endOfPart(message, patternEnd);
  checkMetadata(message.subarray(patternEnd + PART_LENGTH_BYTES, metadataEnd));
  const pattern = decodeText(message.subarray(prefixBytes + PART_LENGTH_BYTES, patternEnd));
  return { pattern, body: decodePlainAnswer(message, metadataEnd) };
}

/** @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE` - a body that is not a Uint8Array. */
export function encodePlainAnswer(body: unknown): OutgoingMessage {
  return new OutgoingMessage(OF_RAW_BYTES, copyOf(checkBytes('The answer', body)));
}

/**
 * @param data - Its encoding is at `start`.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - data with an encoding other than 01.
 */
export function decodePlainAnswer(data: Buffer, start = 0): Buffer {
  if (data[start] === RAW_BYTES) return copyOf(data.subarray(start + 1));
  throw malformed(`Malformed data: the encoding byte is ${data[start] ?? 'missing'}; expected 1 (raw bytes)`);
}

/** Encodes the failure of a handler without its details. */
export function encodeHandlerFailure(): OutgoingMessage {
  return new OutgoingMessage(OF_JSON, JSON.stringify({ status: 'error', message: 'Internal server error' }));
}

export function encodeWireError(code: WireErrorCode): OutgoingMessage {
  return new OutgoingMessage(OF_JSON, JSON.stringify(wireError(code)));
}

/** Returns a `TransportError` for a failure of the transport, else an `Error` with the text of the application. */
export function decodePlainError(kind: 'REQUEST' | 'EVENT', data: Buffer): Error {
  const error = readError(data);
  const failure = isWireError(error) ? (kind === 'EVENT' ? refusalOf(error) : failureOf(error)) : undefined;
  return failure ?? new Error(textOf(error));
}

function readError(data: Buffer): unknown {
  try {
    const text = decodeText(data.subarray(1));
    if (data[0] === TEXT) return text;
    return data[0] === JSON_TEXT ? JSON.parse(text) : undefined;
  } catch {
    return undefined; // bad content
  }
}

/** Returns the text of a handler's error, or Nest's own error, which is a text. */
function textOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return isObject(error) && typeof error['message'] === 'string'
    ? error['message']
    : 'The server answered with an error';
}

function checkPattern(pattern: unknown): string {
  if (typeof pattern === 'string' && !LONE_SURROGATE.test(pattern)) return pattern;
  throw new TransportError('ERR_BAD_OPTION', 'The pattern must be a string without lone surrogates', { sent: false });
}

function checkMetadata(metadata: Buffer): void {
  if (metadata.length === 0) return;
  let value: unknown;
  try {
    value = JSON.parse(decodeText(metadata));
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw malformed('Malformed message: its metadata is not a JSON object');
}

function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw malformed('Malformed message: its pattern or metadata is not valid UTF-8');
}

function malformed(message: string): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', message);
}

/** Refuses a string, and an array of wider numbers, which a copy would truncate to bytes. */
function checkBytes(name: string, bytes: unknown): Uint8Array {
  if (types.isUint8Array(bytes)) return bytes;
  const message = `${name} is of type ${bytes === null ? 'null' : typeof bytes}; expected a Uint8Array or a Buffer`;
  throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', message, { sent: false });
}

/** Copies to memory of its own, because views of a record or a pool would expose other messages. */
function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.alloc(bytes.length, bytes);
}
