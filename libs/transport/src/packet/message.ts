// The messages of a client (docs/protocol.md §6.2):
//   REQUEST  prefix: timeout ms u32 ‖ head ‖ data
//   EVENT    prefix: sequence u64 ‖ head ‖ data
import { TransportError } from '@sealwire/channel';
import type { OutgoingMessage } from '@sealwire/channel';
import {
  encodeHead,
  endOfPart,
  isObject,
  PART_LENGTH_BYTES,
  readSequence,
  readTimeout,
  SEQUENCE_BYTES,
  TIMEOUT_BYTES,
} from '@sealwire/channel/internal';
import type { MessageHead } from '@sealwire/channel/internal';

import { decodeUtf8, parseJson, stringifyJson } from './json.js';
import { encodeData, UNCOUNTED_GROWTH, weighData } from './payload.js';

/** Strings that travel with a message, sealed as its data is. */
export type Metadata = Readonly<Record<string, string>>;

/** The pattern that selects a handler, and the metadata and data for it. */
export interface Call {
  /** The route: the pattern as Nest normalizes it. */
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
  if (metadata !== undefined || pattern.length > MAX_CACHED_PATTERN)
    return encodeHead(pattern, (metadata && stringifyJson(metadata)) ?? '', prefixBytes);
  const heads = prefixBytes === TIMEOUT_BYTES ? requestHeads : eventHeads;
  const known = heads.get(pattern);
  if (known !== undefined) return known;
  const head = encodeHead(pattern, '', prefixBytes);
  if (heads.size >= MAX_CACHED_HEADS) heads.clear(); // the application generates its patterns
  heads.set(pattern, head);
  return head;
}

function decodeCall(message: Buffer, prefixBytes: number, maxJsonNodes: number | undefined): ReceivedCall {
  const patternEnd = endOfPart(message, prefixBytes);
  const metadataEnd = endOfPart(message, patternEnd);
  const { value, weight } = weighData(message, metadataEnd, maxJsonNodes);
  const headWeight = CALL_BYTES + patternEnd - prefixBytes + (metadataEnd - patternEnd) * UNCOUNTED_GROWTH;
  return {
    pattern: decodeUtf8(message, prefixBytes + PART_LENGTH_BYTES, patternEnd),
    metadata: decodeMetadata(message, patternEnd + PART_LENGTH_BYTES, metadataEnd),
    data: value,
    weight: headWeight + weight,
  };
}

function decodeMetadata(message: Buffer, start: number, end: number): Metadata | undefined {
  if (start === end) return undefined;
  const { value } = parseJson(message, start, end);
  if (!isMetadata(value)) throw malformed();
  return value;
}

/**
 * Returns whether a value is an object. Like Nest, which types the values as strings, the transport does not check
 * them.
 */
function isMetadata(value: unknown): value is Metadata {
  return isObject(value);
}

function malformed(): TransportError {
  return new TransportError(
    'ERR_MESSAGE_MALFORMED',
    'The head of the message is truncated, or its metadata is not an object',
  );
}
