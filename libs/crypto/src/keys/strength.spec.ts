import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SecretKey } from '../index.js';

const VECTORS = join(import.meta.dirname, '..', '..', '..', '..', 'test', 'vectors', 'channel-v1.json');
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

  it('does not include 17 different byte values in random order', () => {
    const values = [3, 99, 200, 14, 77, 231, 5, 160, 44, 129, 250, 61, 18, 190, 111, 83, 222];
    const more = [44, 5, 250, 3, 18, 231, 99, 222, 61, 160, 14, 111, 200, 77, 83];
    expect(refusalOf(Uint8Array.from([...values, ...more]))).toBe('accepted');
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

  it.each([
    ['with a byte that is not text', Buffer.from('The quick brown fox jumps over \u007f', 'latin1')],
    ['in Latin-1', Buffer.from('Zwölf Boxkämpfer jagen Viktor 12', 'latin1')],
    ['in UTF-8, of two bytes a letter', Buffer.from('мой длинный парол', 'utf8')],
    ['in UTF-8, of three bytes a letter', Buffer.from('我的密码很长很长吧啊1a', 'utf8')],
    ['in UTF-16', Buffer.from('correct horse ba', 'utf16le')],
    ['in UTF-16, of another alphabet', Buffer.from('правильныйпароль', 'utf16le').swap16()],
    ['in UTF-32', Buffer.from('p\0\0\0a\0\0\0s\0\0\0w\0\0\0o\0\0\0r\0\0\0d\0\0\x001\0\0\0')],
    ['padded with zeros', Buffer.from('Tr0ub4dor&3 is not a key'.padEnd(32, '\0'))],
    ['padded as for a block cipher', Buffer.from('Tr0ub4dor&3 not a key'.padEnd(32, '\x0b'))],
    ['padded in front', Buffer.from('Tr0ub4dor&3 is not a key'.padStart(32, '\0'))],
  ])('is refused as typed by a person: %s', (_, key) => {
    const code = expect.stringMatching(/^ERR_KEY_(TEXT|FEW_VALUES|PATTERN)$/);
    expect(refusalOf(new Uint8Array(Buffer.concat([key], 32)))).toMatchObject({ code, fault: 'operator' });
  });

  it('is refused if it is a published test vector', () => {
    const key = Buffer.from(published.keyFile, 'hex');
    expect(refusalOf(key)).toMatchObject({ code: 'ERR_KEY_PUBLISHED', fault: 'operator' });
  });

  it.each([
    ['SHA-256 of nothing', createHash('sha256').digest()],
    ['SHA-256 of a word', createHash('sha256').update('password').digest()],
    ['SHA-256 of a line, as a shell pipes it', createHash('sha256').update('password\n').digest()],
    ['SHA-256 of 32 zeros', createHash('sha256').update(Buffer.alloc(32)).digest()],
    [
      "C's rand() without a seed",
      Buffer.from('67c6697351ff4aec29cdbaabf2fbe3467cc254f81be8e78d765a2e63339fc99a', 'hex'),
    ],
    [
      "Python's random with a usual seed",
      Buffer.from('9d79b1a37f31801cd11a6706fb40d6bd57526846903bb13ede562439e9c1b823', 'hex'),
    ],
    [
      'the generator of a curve',
      Buffer.from('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798', 'hex'),
    ],
    ['a table of a hash', Buffer.from('d76aa478e8c7b756242070dbc1bdceeef57c0faf4787c62aa8304613fd469501', 'hex')],
    ['digits of π', Buffer.from('243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89', 'hex')],
  ])('is refused if it is a well-known value: %s', (_, key) => {
    expect(refusalOf(key)).toMatchObject({ code: 'ERR_KEY_PUBLISHED' });
  });

  it.each([0, 16, 31, 33])('is refused for its length of %i bytes', (size) => {
    expect(refusalOf(randomBytes(size))).toMatchObject({ code: 'ERR_KEY_LENGTH' });
  });

  it('is refused with a remedy, and without being shown', () => {
    const text = 'The quick brown fox jumps over 1';
    const refusal = refusalOf(Buffer.from(text));
    expect(refusal).toMatchObject({ message: expect.stringContaining('createKeyFile() of @sealwire/crypto') });
    expect(String(refusal)).not.toContain('brown');
  });
});

describe('any 32 bytes', () => {
  it('are accepted, unless they have 16 or fewer different values or are text throughout [R2.2]', () => {
    const byte = fc.constantFrom([0, 255], [0x20, 0x7e], [0x09, 0x0d], [0, 15], [0x80, 0xff]);
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
