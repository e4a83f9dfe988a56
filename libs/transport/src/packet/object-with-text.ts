// Encoding 03 (docs/protocol.md §6.3):   u16 length of key ‖ key ‖ u32 length of json ‖ json ‖ text
//
// JSON escapes a long text character by character on one side, and looks for escapes on the other. An object with one long
// text travels as the JSON of the object with 0 in its place, and the text as it is.
import { TransportError } from '@sealwire/channel';

import { decodeUtf8, parseJson, stringifyJson } from './json.js';
import type { ParsedJson } from './json.js';

const KEY_LENGTH_BYTES = 2;
const JSON_LENGTH_BYTES = 4;
const MAX_KEY_BYTES = 0xffff;
/** From here on it costs less than plain JSON, for an object as for a text alone. */
export const MIN_TEXT_BYTES = 1_024;
/** Every member is copied, so that a getter runs once: an object with more of them costs more than it saves. */
const MAX_MEMBERS = 32;
/** UTF-8 has at most so many bytes for each unit of a JavaScript string. */
const MAX_BYTES_OF_UNIT = 3;

/** The members of an object, each read once, and the key of its longest text if that pays. */
export interface ReadObject {
  readonly copy: Record<string, unknown>;
  readonly key: string | undefined;
}

/** What was read, and how many of its bytes were JSON. */
export interface ReadMessage extends ParsedJson {
  readonly jsonBytes: number;
}

/**
 * Reads a plain object. The copy is what has to be encoded then, as a getter need not give the same value twice.
 *
 * @returns Undefined, and nothing was read, if the object is not plain, has a `toJSON`, has a key `__proto__`, or has so
 *   many members that the copy does not pay.
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

/** Whether a text is worth an encoding of its own. One with a lone surrogate has no UTF-8. */
export function isLongText(text: string): boolean {
  if (text.length * MAX_BYTES_OF_UNIT < MIN_TEXT_BYTES) return false;
  return Buffer.byteLength(text) >= MIN_TEXT_BYTES && isWellFormed(text);
}

/**
 * All of the encoding that goes before the text.
 *
 * @param copy - Its member `key`, which is the text, is changed.
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
 * @param start - Behind the byte of the encoding.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX`
 */
export function decodeObjectWithText(message: Buffer, start: number, maxJsonNodes: number): ReadMessage {
  const keyStart = start + KEY_LENGTH_BYTES;
  const keyEnd = keyStart <= message.length ? keyStart + message.readUInt16BE(start) : Infinity;
  const jsonStart = keyEnd + JSON_LENGTH_BYTES;
  const textStart = jsonStart <= message.length ? jsonStart + message.readUInt32BE(keyEnd) : Infinity;
  if (textStart > message.length) throw malformed('that is cut short');
  const key = decodeUtf8(message, keyStart, keyEnd);
  const { value, nodes } = parseJson(message, jsonStart, textStart, maxJsonNodes);
  if (!isObject(value) || key === '__proto__' || !Object.hasOwn(value, key)) {
    throw malformed('whose JSON is not an object with the member that is the text');
  }
  value[key] = decodeUtf8(message, textStart, message.length);
  return { value, nodes, jsonBytes: textStart - jsonStart };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of a text that is not ASCII; node's types do not have the method of the engine yet. */
function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(text);
}

function malformed(what: string): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', `An object with a text ${what}`);
}
