import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { decodeKeyText, encodeKeyText } from './key-text.js';

const text = (chars: string): Uint8Array => new TextEncoder().encode(chars);

describe('the text of a key', () => {
  it('is base64url as Node encodes it, and is decoded into memory of its own', () => {
    for (const key of [new Uint8Array(32), new Uint8Array(32).fill(0xff), ...Array.from({ length: 200 }, newKey)]) {
      expect(new TextDecoder().decode(encodeKeyText(key))).toBe(Buffer.from(key).toString('base64url'));
      const decoded = decodeKeyText(encodeKeyText(key));
      expect(decoded).toEqual(key);
      expect(decoded?.buffer.byteLength).toBe(32);
    }
  });

  it.each([
    ['nothing', ''],
    ['42 characters', 'A'.repeat(42)],
    ['44 characters', 'A'.repeat(44)],
    ['padding', `${'A'.repeat(43)}=`],
    ['padding in place of a character', `${'A'.repeat(42)}=`],
    ['base64 instead of base64url', `+/${'A'.repeat(41)}`],
    ['bits after the key', `${'A'.repeat(42)}B`],
    ['an escape', `\\u0041${'A'.repeat(37)}`],
    ['white space', ` ${'A'.repeat(42)}`],
  ])('with %s is not decoded', (_what, chars) => {
    expect(decodeKeyText(text(chars))).toBeUndefined();
  });
});

function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}
