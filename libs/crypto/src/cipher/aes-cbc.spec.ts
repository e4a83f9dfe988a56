import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { decryptAes128Cbc, encryptAes128Cbc } from '../index.js';

const KEY = randomBytes(16);
const IV = randomBytes(16);
const failsWith = (code: string) => expect.objectContaining({ name: 'CryptoError', code });

describe('encryptAes128Cbc', () => {
  it.each([0, 1, 15, 16, 17, 31, 32, 33, 4096, 65_503])(
    'outputs whole blocks for %i bytes, in memory of its own',
    (size) => {
      const plaintext = randomBytes(size);
      const ciphertext = encryptAes128Cbc(KEY, IV, plaintext);
      expect(ciphertext.length).toBe((Math.floor(size / 16) + 1) * 16);
      expect(ciphertext.buffer.byteLength).toBe(ciphertext.length);
      const decrypted = decryptAes128Cbc(KEY, IV, ciphertext);
      expect(Buffer.from(decrypted)).toEqual(plaintext);
      expect(decrypted.buffer.byteLength).toBe(size);
    },
  );

  it('does not modify its input', () => {
    const [key, iv, plaintext] = [Buffer.from(KEY), Buffer.from(IV), Buffer.alloc(40, 7)];
    encryptAes128Cbc(key, iv, plaintext);
    expect([key, iv, plaintext]).toEqual([KEY, IV, Buffer.alloc(40, 7)]);
  });

  it.each([0, 15, 17, 24, 32])('refuses a key of %i bytes', (size) => {
    expect(() => encryptAes128Cbc(randomBytes(size), IV, KEY)).toThrow(failsWith('ERR_KEY_LENGTH'));
    expect(() => decryptAes128Cbc(randomBytes(size), IV, KEY)).toThrow(failsWith('ERR_KEY_LENGTH'));
  });

  it.each([0, 12, 15, 17, 32])('refuses an IV of %i bytes', (size) => {
    expect(() => encryptAes128Cbc(KEY, randomBytes(size), KEY)).toThrow(failsWith('ERR_IV_LENGTH'));
    expect(() => decryptAes128Cbc(KEY, randomBytes(size), KEY)).toThrow(failsWith('ERR_IV_LENGTH'));
  });
});

describe('decryptAes128Cbc', () => {
  it.each([0, 1, 15, 17, 31, 33])('refuses a ciphertext of %i bytes', (size) => {
    expect(() => decryptAes128Cbc(KEY, IV, randomBytes(size))).toThrow(failsWith('ERR_DECRYPT_FAILED'));
  });

  it.each([0, 17, 255])('refuses a padding byte of %i', (last) => {
    const withPadding = encryptAes128Cbc(KEY, IV, Buffer.alloc(16, last));
    const withoutPadding = withPadding.subarray(0, 16); // so that the last byte of the plaintext counts as padding
    expect(() => decryptAes128Cbc(KEY, IV, withoutPadding)).toThrow(failsWith('ERR_DECRYPT_FAILED'));
  });
});
