// Encoding 03 (docs/protocol.md §6.3):   u16 length of key ‖ key ‖ u32 length of json ‖ json ‖ text
//
// As JSON, a long text is escaped character by character by the sender, and searched for escapes by the receiver. An
// object with a long text is sent as the JSON of the object with 0 in place of the text, then the text unescaped.
import { TransportError } from '@sealwire/channel';
import { isObject } from '@sealwire/channel/internal';

import { decodeUtf8, parseJson, stringifyJson } from './json.js';
import type { ParsedJson } from './json.js';

const KEY_LENGTH_BYTES = 2;
const JSON_LENGTH_BYTES = 4;
const MAX_KEY_BYTES = 0xffff;
/** The size from which this encoding costs less than JSON, for an object and for a text alone. */
export const MIN_TEXT_BYTES = 1_024;
/** The number of members up to which the encoding pays. All are copied, because each getter must run only once. */
const MAX_MEMBERS = 32;
/** The longest UTF-8 encoding of one unit of a JavaScript string. */
const MAX_BYTES_OF_UNIT = 3;

/** The members of an object, each read once, and the key of its longest text if this encoding pays. */
export interface ReadObject {
  readonly copy: Record<string, unknown>;
  readonly key: string | undefined;
}

/** A decoded value, and the number of its bytes that were JSON. */
export interface ReadMessage extends ParsedJson {
  readonly jsonBytes: number;
}

/**
 * Reads a plain object. The copy must then be encoded, because a getter may return another value the second time.
 *
 * @returns Undefined, and no member was read, if the object is not plain, has a `toJSON`, has a key `__proto__`, or has
 *   too many members for the copy to pay.
 */
export function readPlainObject(value: object): ReadObject | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return undefined;
  const keys = Object.keys(value);
  if (keys.length > MAX_MEMBERS || keys.includes('__proto__')) return undefined;
  const copy: Record<string, unknown> = {};
  let longest = '';
  let key: string | undefined;
  for (const name of keys) {
    const member: unknown = Reflect.get(value, name);
    copy[name] = member;
    if (typeof member === 'string' && member.length > longest.length) {
      longest = member;
      key = name;
    }
  }
  const isWorthIt = key !== undefined && isLongText(longest) && Buffer.byteLength(key) <= MAX_KEY_BYTES;
  return { copy, key: isWorthIt ? key : undefined };
}

/** Returns whether a text is long enough for its own encoding. One with a lone surrogate cannot be UTF-8. */
export function isLongText(text: string): boolean {
  if (text.length * MAX_BYTES_OF_UNIT < MIN_TEXT_BYTES) return false;
  return Buffer.byteLength(text) >= MIN_TEXT_BYTES && isWellFormed(text);
}

/**
 * Encodes everything before the text.
 *
 * @param copy - Its member `key`, the text, is overwritten.
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`
 */
export function encodeWithoutText(encoding: number, copy: Record<string, unknown>, key: string): Buffer {
  copy[key] = 0;
  const json = stringifyJson(copy) ?? '';
  const keyBytes = Buffer.byteLength(key);
  const jsonBytes = Buffer.byteLength(json);
  const head = Buffer.alloc(1 + KEY_LENGTH_BYTES + keyBytes + JSON_LENGTH_BYTES + jsonBytes);
  let at = head.writeUInt8(encoding, 0);
  at = head.writeUInt16BE(keyBytes, at);
  at += head.write(key, at);
  at = head.writeUInt32BE(jsonBytes, at);
  head.write(json, at);
  return head;
}

/**
 * @param start - The position after the encoding byte.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX`
 */
export function decodeObjectWithText(message: Buffer, start: number, maxJsonNodes: number): ReadMessage {
  const keyStart = start + KEY_LENGTH_BYTES;
  const keyEnd = keyStart <= message.length ? keyStart + message.readUInt16BE(start) : Infinity;
  const jsonStart = keyEnd + JSON_LENGTH_BYTES;
  const textStart = jsonStart <= message.length ? jsonStart + message.readUInt32BE(keyEnd) : Infinity;
  if (textStart > message.length) throw malformed('it is truncated');
  const key = decodeUtf8(message, keyStart, keyEnd);
  const { value, nodes } = parseJson(message, jsonStart, textStart, maxJsonNodes);
  if (!isObject(value) || key === '__proto__' || !Object.hasOwn(value, key)) {
    throw malformed('its JSON is not an object, or lacks the member for the text');
  }
  value[key] = decodeUtf8(message, textStart, message.length);
  return { value, nodes, jsonBytes: textStart - jsonStart };
}

/** Returns whether a text has no lone surrogate. The types of Node lack `String.prototype.isWellFormed`. */
function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(text);
}

function malformed(reason: string): TransportError {
  return new TransportError(
    'ERR_MESSAGE_MALFORMED',
    `Malformed data, encoded as an object with a long string: ${reason}`,
  );
}
