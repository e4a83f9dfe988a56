// JSON from a peer (docs/protocol.md §6.3). The peer is authenticated, its bytes are still not trusted.
import { isAscii, isUtf8 } from 'node:buffer';

import { TransportError } from '@sealwire/channel';

import { checkJson, DEFAULT_MAX_JSON_NODES, UNCOUNTED_JSON_BYTES } from './json-check.js';

/** From here on it pays to look first whether a text is ASCII: its bytes are then taken over as they are. */
const LARGE_TEXT_BYTES = 65_536;

/** @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE` - a cycle, a BigInt, a `toJSON` that throws, or too deep. */
export function stringifyJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', reasonOf(cause), { cause, sent: false });
  }
}

/** `JSON.parse` takes any depth, `JSON.stringify` of older engines runs out of stack. */
function reasonOf(cause: unknown): string {
  const isTooDeep = cause instanceof RangeError && cause.message.includes('call stack');
  return isTooDeep
    ? 'A value that is nested too deep: JSON.stringify takes some thousand levels, as the stack allows'
    : 'A value that JSON cannot express';
}

/** A value, and how many values stand in it if they were counted. */
export interface ParsedJson {
  readonly value: unknown;
  readonly nodes: number | undefined;
}

/**
 * @param maxNodes - Checked only above {@link UNCOUNTED_JSON_BYTES}.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not UTF-8, not JSON, or poisoned. `ERR_MESSAGE_TOO_COMPLEX`. Never
 *   quotes the input.
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
  // Invalid bytes become this character. It may also have been sent: only then do the bytes have to be looked at again.
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
 * Anything that could spell `__proto__` or `constructor` as a key, escapes included: only then is the text checked. With
 * their quotes, as those are what a search finds fastest in a text.
 */
function isSuspicious(text: string): boolean {
  return text.includes('"__proto__"') || text.includes('"constructor"') || text.includes('\\u00');
}

function malformed(bytes: Buffer): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', `${bytes.length} bytes that are not acceptable JSON in UTF-8`);
}
