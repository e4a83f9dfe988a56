// The messages of a client (docs/protocol.md §6.2):
//   REQUEST  prefix: timeout ms u32 ‖ head ‖ data
//   EVENT    prefix: sequence u64 ‖ head ‖ data
//   head     u16 len(pattern) ‖ pattern ‖ u16 len(metadata) ‖ metadata (a JSON object, or nothing)
import { TransportError } from '@sealwire/channel';
import type { OutgoingMessage } from '@sealwire/channel';
import { readSequence, readTimeout, SEQUENCE_BYTES, TIMEOUT_BYTES } from '@sealwire/channel/internal';
import type { MessageHead } from '@sealwire/channel/internal';

import { decodeUtf8, parseJson, stringifyJson } from './json.js';
import { encodeData, UNCOUNTED_GROWTH, weighData } from './payload.js';

export type Metadata = Readonly<Record<string, string>>;

/** The pattern that selects a handler, and the metadata and data for it. */
export interface Call {
  /** The route: the pattern as Nest normalises it. */
  readonly pattern: string;
  readonly metadata?: Metadata | undefined;
  readonly data: unknown;
}

export interface RequestMessage extends Call {
  /** 0: none. */
  readonly timeoutMs: number;
}

/** A received call. */
export interface ReceivedCall extends Call {
  /** The estimated bytes of memory that the call takes until its handler has ended. */
  readonly weight: number;
}

export interface ReceivedRequest extends ReceivedCall, RequestMessage {}

export interface ReceivedEvent extends ReceivedCall {
  readonly sequence: number;
}

const LENGTH_BYTES = 2;
const MAX_PART_BYTES = 0xffff;
/** The memory of a call in addition to its parts: its context and its execution. */
const CALL_BYTES = 1_024;
const MAX_CACHED_PATTERN = 256;
const MAX_CACHED_HEADS = 1_024;

const requestHeads = new Map<string, MessageHead>();
const eventHeads = new Map<string, MessageHead>();

/** @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`; `ERR_MESSAGE_TOO_LARGE` for a head beyond 64 KiB. */
export function encodeRequest(request: RequestMessage): OutgoingMessage {
  const message = encodeData(request.data, headOf(request, TIMEOUT_BYTES));
  message.prefix = request.timeoutMs;
  return message;
}

/** Encodes an event. The prefix, its sequence, is set when the event is about to be sent. Throws as `encodeRequest`. */
export function encodeEvent(call: Call): OutgoingMessage {
  return encodeData(call.data, headOf(call, SEQUENCE_BYTES));
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX` */
export function decodeRequest(message: Buffer, maxJsonNodes?: number): ReceivedRequest {
  const timeoutMs = readTimeout(message);
  if (timeoutMs === undefined) throw malformed();
  const { pattern, metadata, data, weight } = decodeCall(message, TIMEOUT_BYTES, maxJsonNodes);
  return { timeoutMs, pattern, metadata, data, weight };
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX` */
export function decodeEvent(message: Buffer, maxJsonNodes?: number): ReceivedEvent {
  const sequence = readSequence(message);
  if (sequence === undefined || Number.isNaN(sequence)) throw malformed();
  const { pattern, metadata, data, weight } = decodeCall(message, SEQUENCE_BYTES, maxJsonNodes);
  return { sequence, pattern, metadata, data, weight };
}

/** Returns a head from the cache if the call has no metadata, because most calls use one of a few patterns. */
function headOf({ pattern, metadata }: Call, prefixBytes: 4 | 8): MessageHead {
  if (metadata !== undefined || pattern.length > MAX_CACHED_PATTERN) return encodeHead(pattern, metadata, prefixBytes);
  const heads = prefixBytes === TIMEOUT_BYTES ? requestHeads : eventHeads;
  const known = heads.get(pattern);
  if (known !== undefined) return known;
  const head = encodeHead(pattern, metadata, prefixBytes);
  if (heads.size >= MAX_CACHED_HEADS) heads.clear(); // the application generates its patterns
  heads.set(pattern, head);
  return head;
}

function encodeHead(pattern: string, metadata: Metadata | undefined, prefixBytes: 4 | 8): MessageHead {
  const metadataText = (metadata && stringifyJson(metadata)) ?? '';
  const patternBytes = Buffer.byteLength(pattern);
  const metadataBytes = Buffer.byteLength(metadataText);
  if (patternBytes > MAX_PART_BYTES || metadataBytes > MAX_PART_BYTES) {
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', 'The pattern or the metadata exceeds 65,535 bytes', {
      sent: false,
    });
  }
  const bytes = Buffer.alloc(2 * LENGTH_BYTES + patternBytes + metadataBytes);
  let at = bytes.writeUInt16BE(patternBytes, 0);
  at += bytes.write(pattern, at, patternBytes);
  at = bytes.writeUInt16BE(metadataBytes, at);
  bytes.write(metadataText, at, metadataBytes);
  return { prefixBytes, bytes };
}

function decodeCall(message: Buffer, prefixBytes: number, maxJsonNodes: number | undefined): ReceivedCall {
  const patternEnd = endOfPart(message, prefixBytes);
  const metadataEnd = endOfPart(message, patternEnd);
  const { value, weight } = weighData(message, metadataEnd, maxJsonNodes);
  const headWeight = CALL_BYTES + patternEnd - prefixBytes + (metadataEnd - patternEnd) * UNCOUNTED_GROWTH;
  return {
    pattern: decodeUtf8(message, prefixBytes + LENGTH_BYTES, patternEnd),
    metadata: decodeMetadata(message, patternEnd + LENGTH_BYTES, metadataEnd),
    data: value,
    weight: headWeight + weight,
  };
}

/** Returns the end of the part whose length is at `start`. */
function endOfPart(message: Buffer, start: number): number {
  if (message.length - start < LENGTH_BYTES) throw malformed();
  const end = start + LENGTH_BYTES + message.readUInt16BE(start);
  if (end > message.length) throw malformed();
  return end;
}

function decodeMetadata(message: Buffer, start: number, end: number): Metadata | undefined {
  if (start === end) return undefined;
  const { value } = parseJson(message, start, end);
  if (!isMetadata(value)) throw malformed();
  return value;
}

/** Any object: like Nest, which types the values as strings, the transport does not check them. */
function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', 'The message head is cut short, or its metadata is not an object');
}
