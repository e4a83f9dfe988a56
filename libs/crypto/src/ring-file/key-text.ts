// The text of a key in a keyring file: base64url without padding (RFC 4648 §5), from bytes to bytes. A string of it could
// not be overwritten.
import { KEY_BYTES } from '../keys/schedule.js';

/** 32 bytes in groups of 6 bits, and 2 bits that are zero. */
export const KEY_TEXT_BYTES = 43;

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const BITS = 6;

export function encodeKeyText(key: Uint8Array): Uint8Array {
  const text = new Uint8Array(KEY_TEXT_BYTES);
  for (let at = 0; at < KEY_TEXT_BYTES; at++) {
    const from = at * BITS;
    const pair = ((key[from >> 3] ?? 0) << 8) | (key[(from >> 3) + 1] ?? 0);
    text[at] = ALPHABET[(pair >> (16 - BITS - (from & 7))) & 0x3f] ?? 0;
  }
  return text;
}

/** Returns 32 bytes in memory of their own; undefined if the text is not their one encoding. */
export function decodeKeyText(text: Uint8Array): Uint8Array | undefined {
  if (text.length !== KEY_TEXT_BYTES) return undefined;
  const key = new Uint8Array(KEY_BYTES);
  let bits = 0;
  for (let at = 0; at < KEY_TEXT_BYTES; at++) {
    const value = ALPHABET.indexOf(text[at] ?? 0);
    if (value === -1 || (at === KEY_TEXT_BYTES - 1 && (value & 3) !== 0)) {
      key.fill(0);
      return undefined;
    }
    bits = ((bits << BITS) | value) & 0xffff;
    const end = (at + 1) * BITS;
    if ((end & 7) < BITS) key[(end >> 3) - 1] = bits >> (end & 7);
  }
  return key;
}
