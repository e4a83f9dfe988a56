import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SecretKey } from './index.js';

const VECTORS = join(import.meta.dirname, '..', '..', '..', 'test', 'vectors', 'channel-v1.json');
const published: { keyFile: string } = JSON.parse(readFileSync(VECTORS, 'utf8'));

const refusalOf = (key: Uint8Array) => {
  try {
    SecretKey.fromBytes(key);
    return 'accepted';
  } catch (error) {
    return error;
  }
};
const counting = (distinct: number) => Uint8Array.from({ length: 32 }, (_, index) => 128 + (index % distinct));

describe('a weak key', () => {
  it.each([0x00, 0x01, 0x41, 0xff])('is refused as one repeated byte: %i', (byte) => {
    const key = new Uint8Array(32).fill(byte);
    expect(refusalOf(key)).toMatchObject({ code: 'ERR_KEY_REPEATED_BYTE', fault: 'operator' });
  });

  it.each([2, 8, 15, 16])('is refused for having only %i different byte values', (distinct) => {
    expect(refusalOf(counting(distinct))).toMatchObject({ code: 'ERR_KEY_FEW_VALUES', fault: 'operator' });
  });

  it.each([17, 32])('is not one that has %i different byte values', (distinct) => {
    expect(refusalOf(counting(distinct))).toBe('accepted');
  });

  it.each([
    ['a passphrase', 'The quick brown fox jumps over 1!'],
    ['base64', 'q83vASNFZ4mrze8BI0VniavN7wEjRWeJ'],
    ['hexadecimal digits', '00112233445566778899aabbccddeeff'],
    ['a line with its line end', 'The quick brown fox jumps ov 1\r\n'],
    ['tabs', 'The\tquick\tbrown\tfox\tjumps\tover1'],
  ])('is refused as text: %s', (_, text) => {
    const key = Buffer.from(text.padEnd(32, '.').slice(0, 32), 'latin1');
    expect(refusalOf(key)).toMatchObject({ code: 'ERR_KEY_TEXT', fault: 'operator' });
  });

  it('is not one with a single byte that is no text', () => {
    const key = Buffer.from('The quick brown fox jumps over 1\u007f'.slice(-32), 'latin1');
    expect(refusalOf(key)).toBe('accepted');
  });

  it('is the one of the published test vectors', () => {
    const key = Buffer.from(published.keyFile, 'hex');
    expect(refusalOf(key)).toMatchObject({ code: 'ERR_KEY_PUBLISHED', fault: 'operator' });
    key[0] = 4;
    expect(refusalOf(key)).toBe('accepted');
  });

  it.each([0, 16, 31, 33])('is refused for its length of %i bytes', (size) => {
    expect(refusalOf(randomBytes(size))).toMatchObject({ code: 'ERR_KEY_LENGTH' });
  });

  it('is refused with a way out, and without being shown', () => {
    const text = 'The quick brown fox jumps over 1';
    const refusal = refusalOf(Buffer.from(text));
    expect(refusal).toMatchObject({ message: expect.stringContaining('npm run keys -- keygen') });
    expect(String(refusal)).not.toContain('brown');
  });
});

describe('any 32 bytes', () => {
  it('are a key, unless they have 16 or fewer different values or are text throughout [R2.2]', () => {
    const byte = fc.constantFrom([0, 255], [0x20, 0x7e], [0x09, 0x0d], [0, 15], [0x70, 0x90], [1, 17]);
    const key = byte.chain(([min = 0, max = 255]) =>
      fc.array(fc.integer({ min, max }), { minLength: 32, maxLength: 32 }),
    );
    fc.assert(
      fc.property(key, (bytes) => {
        const isText = bytes.every((value) => (value >= 0x20 && value <= 0x7e) || (value >= 9 && value <= 13));
        const isStrong = new Set(bytes).size > 16 && !isText;
        const refusal = refusalOf(Uint8Array.from(bytes));
        if (isStrong) expect(refusal).toBe('accepted');
        else
          expect(refusal).toMatchObject({ code: expect.stringMatching(/^ERR_KEY_(REPEATED_BYTE|TEXT|FEW_VALUES)$/) });
      }),
      { numRuns: 500 },
    );
  });
});
