// The data of a message (docs/protocol.md §6.3):   encoding(1) ‖ bytes
import { OutgoingMessage, TransportError } from '@sealwire/channel';
import type { MessageHead } from '@sealwire/channel/internal';

import { DEFAULT_MAX_JSON_NODES } from './json-check.js';
import { decodeUtf8, parseJson, stringifyJson } from './json.js';
import type { ParsedJson } from './json.js';
import { decodeObjectWithText, encodeWithoutText, isLongText, readPlainObject } from './object-with-text.js';
import type { ReadMessage } from './object-with-text.js';
import { ownCopy } from './own-copy.js';

const JSON_TEXT = 0;
const RAW_BYTES = 1;
const UNDEFINED = 2;
const OBJECT_WITH_TEXT = 3;
const TEXT = 4;
const UNKNOWN = 255;
const ENCODING_BYTES = 1;
const OF_JSON = Buffer.of(JSON_TEXT);
const OF_RAW_BYTES = Buffer.of(RAW_BYTES);
const OF_UNDEFINED = Buffer.of(UNDEFINED);
const OF_TEXT = Buffer.of(TEXT);

/** The memory of a JSON value in V8: an empty object has 56 bytes, and the reference to it 8. */
const NODE_BYTES = 64;
/** The growth of JSON whose nodes are not counted: at worst twentyfold, for `[{},{},…]`, usually much less. */
export const UNCOUNTED_GROWTH = 16;

/**
 * Encodes a value after `head`: a `Buffer` or `Uint8Array` as its bytes, a long text as UTF-8, everything else as JSON. The
 * value is read only during this call and may change afterwards.
 *
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`
 */
export function encodeData(value: unknown, head?: MessageHead): OutgoingMessage {
  if (value instanceof Uint8Array) return new OutgoingMessage(OF_RAW_BYTES, ownCopy(value), head);
  if (typeof value === 'string' && isLongText(value)) return new OutgoingMessage(OF_TEXT, value, head);
  if (typeof value === 'object' && value !== null) return encodeObject(value, head);
  return encodeJson(value, head);
}

function encodeObject(value: object, head: MessageHead | undefined): OutgoingMessage {
  const read = readPlainObject(value);
  if (read?.key === undefined) return encodeJson(read?.copy ?? value, head);
  const { copy, key } = read;
  const text = String(copy[key]);
  return new OutgoingMessage(encodeWithoutText(OBJECT_WITH_TEXT, copy, key), text, head);
}

function encodeJson(value: unknown, head: MessageHead | undefined): OutgoingMessage {
  const text = stringifyJson(value);
  return text === undefined ? new OutgoingMessage(OF_UNDEFINED, '', head) : new OutgoingMessage(OF_JSON, text, head);
}

/** Returns whether encoded data is JSON, encoding 00. */
export function isJsonData(data: Buffer): boolean {
  return data[0] === JSON_TEXT;
}

export interface WeighedData {
  readonly value: unknown;
  /** The estimated bytes of memory of the value. */
  readonly weight: number;
}

/**
 * @param message - Its data begins at `start`. Raw bytes are copied to a separate `ArrayBuffer`, because a view would give
 *   the user access to the memory around them.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX`
 */
export function decodeData(message: Buffer, start?: number, maxJsonNodes?: number): unknown {
  return weighData(message, start, maxJsonNodes).value;
}

/** Decodes data as {@link decodeData} does, and estimates the memory of the value. */
export function weighData(message: Buffer, start = 0, maxJsonNodes = DEFAULT_MAX_JSON_NODES): WeighedData {
  const bytesStart = start + ENCODING_BYTES;
  const bytes = message.length - bytesStart;
  const encoding: number = message[start] ?? UNKNOWN;
  switch (encoding) {
    case JSON_TEXT:
      return weighJson(parseJson(message, bytesStart, message.length, maxJsonNodes), bytes);
    case OBJECT_WITH_TEXT:
      return weighObject(decodeObjectWithText(message, bytesStart, maxJsonNodes), bytes);
    case TEXT:
      return { value: decodeUtf8(message, bytesStart, message.length), weight: bytes };
    case RAW_BYTES:
      return { value: ownCopy(message.subarray(bytesStart)), weight: bytes };
    case UNDEFINED:
      if (bytes === 0) return { value: undefined, weight: 0 };
      break;
  }
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'The data has an unknown encoding');
}

function weighObject(read: ReadMessage, bytes: number): WeighedData {
  const { value, weight } = weighJson(read, read.jsonBytes);
  return { value, weight: weight + bytes - read.jsonBytes };
}

function weighJson({ value, nodes }: ParsedJson, bytes: number): WeighedData {
  return { value, weight: nodes === undefined ? bytes * UNCOUNTED_GROWTH : bytes + nodes * NODE_BYTES };
}
