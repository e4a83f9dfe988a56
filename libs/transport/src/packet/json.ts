// JSON from a peer (docs/protocol.md §6.3). The peer is authenticated, but its bytes are not trusted.
import { isAscii, isUtf8 } from 'node:buffer';

import { TransportError } from '@sealwire/channel';

import { checkJson, DEFAULT_MAX_JSON_NODES, UNCOUNTED_JSON_BYTES } from './json-check.js';

/** The size from which a check for ASCII pays, because ASCII is decoded faster as latin1. */
const LARGE_TEXT_BYTES = 65_536;

/** @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE` - a cycle, a BigInt, a `toJSON` that throws, or too deep. */
export function stringifyJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', reasonOf(cause), { cause, sent: false });
  }
}

/**
 * Returns why a value has no JSON. Older engines parse any depth of nesting, but their `JSON.stringify` runs out of
 * stack.
 */
function reasonOf(cause: unknown): string {
  const isTooDeep = cause instanceof RangeError && cause.message.includes('call stack');
  return isTooDeep
    ? 'The value is nested too deeply: JSON.stringify ran out of stack'
    : 'JSON cannot express the value';
}

/** A parsed value, and the number of its nodes if they were counted. */
export interface ParsedJson {
  readonly value: unknown;
  readonly nodes: number | undefined;
}

/**
 * @param maxNodes - Checked only above {@link UNCOUNTED_JSON_BYTES}.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not UTF-8, not JSON, or a key that could change a prototype.
 *   `ERR_MESSAGE_TOO_COMPLEX`. The message never quotes the input.
 */
export function parseJson(bytes: Buffer, start = 0, end = bytes.length, maxNodes = DEFAULT_MAX_JSON_NODES): ParsedJson {
  if (end - start > UNCOUNTED_JSON_BYTES) {
    const nodes = checkJson(bytes, maxNodes, start, end);
    return { value: parse(decodeUtf8(bytes, start, end), bytes), nodes };
  }
  const text = decodeUtf8(bytes, start, end);
  if (isSuspicious(text)) checkJson(bytes, Infinity, start, end);
  return { value: parse(text, bytes), nodes: undefined };
}

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` - lenient decoding would hide corruption. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  if (end - start >= LARGE_TEXT_BYTES && isAscii(bytes.subarray(start, end)))
    return bytes.toString('latin1', start, end);
  const text = bytes.toString('utf8', start, end);
  // Invalid bytes become U+FFFD, but the peer may also have sent that character: only then the bytes are validated.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) throw malformed(bytes);
  return text;
}

function parse(text: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(bytes);
  }
}

/**
 * Returns whether a text could have `__proto__` or `constructor` as a key, escapes included. Other texts need no check.
 * The search includes the quotes because that makes it faster.
 */
function isSuspicious(text: string): boolean {
  return text.includes('"__proto__"') || text.includes('"constructor"') || text.includes('\\u00');
}

function malformed(bytes: Buffer): TransportError {
  return new TransportError(
    'ERR_MESSAGE_MALFORMED',
    `A message of ${bytes.length} bytes is malformed: expected JSON in UTF-8`,
  );
}
