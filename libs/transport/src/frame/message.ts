// What a client asks (docs/protocol.md §6.2):
//   REQUEST  timeout ms u32 (0 = none) ‖ head ‖ data
//   EVENT    event sequence u64 ‖ head ‖ data
//   head     u16 len(pattern) ‖ pattern ‖ u16 len(metadata) ‖ metadata (a JSON object, or nothing)
import { isUtf8 } from 'node:buffer';

import { TransportError } from '../errors.js';

import { parseJson, stringifyJson } from './json.js';
import { decodeData, encodeData } from './payload.js';

export type Metadata = Readonly<Record<string, string>>;

/** What a handler is chosen by and given. */
export interface Call {
  /** Nest's normalised route. */
  readonly pattern: string;
  readonly metadata?: Metadata | undefined;
  readonly data: unknown;
}

export interface RequestMessage extends Call {
  /** 0: none. */
  readonly timeoutMs: number;
}

export interface EventMessage extends Call {
  readonly sequence: number;
}

const TIMEOUT_BYTES = 4;
const SEQUENCE_BYTES = 8;
const LENGTH_BYTES = 2;
const MAX_PART_BYTES = 0xffff;

/** @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`; `ERR_MESSAGE_TOO_LARGE` for a head beyond 64 KiB. */
export function encodeRequest({ timeoutMs, ...call }: RequestMessage): Buffer {
  const message = encodeCall(call, TIMEOUT_BYTES);
  message.writeUInt32BE(timeoutMs, 0);
  return message;
}

/** The sequence is written by {@link writeSequence}, when the event's turn has come. Throws as `encodeRequest`. */
export function encodeEvent(call: Call): Buffer {
  const message = encodeCall(call, SEQUENCE_BYTES);
  message.fill(0, 0, SEQUENCE_BYTES);
  return message;
}

export function writeSequence(event: Buffer, sequence: number): void {
  event.writeBigUInt64BE(BigInt(sequence), 0);
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` */
export function decodeRequest(message: Buffer): RequestMessage {
  if (message.length < TIMEOUT_BYTES) throw malformed();
  return { timeoutMs: message.readUInt32BE(0), ...decodeCall(message.subarray(TIMEOUT_BYTES)) };
}

/**
 * The sequence alone: an event whose rest is malformed is still acknowledged and never tried again.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`
 */
export function decodeSequence(message: Buffer): number {
  if (message.length < SEQUENCE_BYTES) throw malformed();
  const sequence = Number(message.readBigUInt64BE(0));
  if (!Number.isSafeInteger(sequence)) throw malformed();
  return sequence;
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` */
export function decodeEvent(message: Buffer): EventMessage {
  return { sequence: decodeSequence(message), ...decodeCall(message.subarray(SEQUENCE_BYTES)) };
}

function encodeCall({ pattern, metadata, data }: Call, prefixBytes: number): Buffer {
  const metadataText = (metadata && stringifyJson(metadata)) ?? '';
  const patternBytes = Buffer.byteLength(pattern);
  const metadataBytes = Buffer.byteLength(metadataText);
  if (patternBytes > MAX_PART_BYTES || metadataBytes > MAX_PART_BYTES) {
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', 'A pattern or metadata beyond 65,535 bytes', { sent: false });
  }
  const head = Buffer.allocUnsafe(prefixBytes + 2 * LENGTH_BYTES + patternBytes + metadataBytes);
  let at = head.writeUInt16BE(patternBytes, prefixBytes);
  at += head.write(pattern, at);
  at = head.writeUInt16BE(metadataBytes, at);
  head.write(metadataText, at);
  return encodeData(data, head);
}

function decodeCall(bytes: Buffer): Call {
  const [pattern, behindPattern] = takePart(bytes);
  const [metadata, data] = takePart(behindPattern);
  const call = { pattern: decodePattern(pattern), data: decodeData(data) };
  return metadata.length === 0 ? call : { ...call, metadata: decodeMetadata(metadata) };
}

function takePart(bytes: Buffer): readonly [part: Buffer, rest: Buffer] {
  if (bytes.length < LENGTH_BYTES) throw malformed();
  const end = LENGTH_BYTES + bytes.readUInt16BE(0);
  if (end > bytes.length) throw malformed();
  return [bytes.subarray(LENGTH_BYTES, end), bytes.subarray(end)];
}

function decodePattern(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw malformed();
  return bytes.toString('utf8');
}

function decodeMetadata(bytes: Buffer): Metadata {
  const value = parseJson(bytes);
  if (!isMetadata(value)) throw malformed();
  return value;
}

/** Nest types the values as strings and checks none of them; nor is it for the transport to refuse what Nest lets pass. */
function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', 'A head that is cut short, or not a pattern and an object');
}
