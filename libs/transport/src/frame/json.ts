// JSON from a peer (docs/protocol.md §6.3). The peer is authenticated, its bytes are still not trusted.
import { isAscii, isUtf8 } from 'node:buffer';

import { TransportError } from '../errors.js';

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

/** @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not UTF-8, not JSON, or poisoned. Never quotes the input. */
export function parseJson(bytes: Buffer, start = 0, end = bytes.length): unknown {
  const text = decodeUtf8(bytes, start, end);
  const value = parse(text, bytes);
  if (isSuspicious(text) && isPoisoned(value)) throw malformed(bytes);
  return value;
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
 * Anything that could spell `__proto__` or `constructor` as a key, escapes included: only then is the value searched. With
 * their quotes, as those are what a search finds fastest in a long text.
 */
function isSuspicious(text: string): boolean {
  return text.includes('"__proto__"') || text.includes('"constructor"') || text.includes('\\u00');
}

/** Whether a key would change a prototype when a handler merges the value into another object. */
function isPoisoned(root: unknown): boolean {
  const open: unknown[] = [root]; // not recursive: the peer chooses the depth
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) return true;
    for (const [key, child] of Object.entries(value)) {
      if (key === 'constructor' && typeof child === 'object' && child !== null && Object.hasOwn(child, 'prototype'))
        return true;
      open.push(child);
    }
  }
  return false;
}

function malformed(bytes: Buffer): TransportError {
  return new TransportError('ERR_MESSAGE_MALFORMED', `${bytes.length} bytes that are not acceptable JSON in UTF-8`);
}
