import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { authenticatePlain } from '../../../../test/support/plain-a128cbc-hs256.js';
import { CryptoError, encryptAes128Cbc, openA128CbcHs256, sealA128CbcHs256 } from '../index.js';

const KEY = randomBytes(32);
const IV = randomBytes(16);
const AAD = Buffer.from('header');
const PLAINTEXT = Buffer.from('thirty-three bytes of a plaintext');

const failsWith = (code: string) => expect.objectContaining({ name: 'CryptoError', code });

function failureOf(opening: () => unknown): CryptoError {
  try {
    opening();
  } catch (error) {
    if (error instanceof CryptoError) return error;
    throw error;
  }
  throw new Error('It opened');
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function codeOf(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): string {
  return failureOf(() => openA128CbcHs256(key, iv, aad, sealed)).code;
}

/** Seals what no one who follows the rules would: a plaintext with the padding that it brings itself. */
function sealUnpadded(blocks: Uint8Array): Uint8Array {
  const ciphertext = encryptAes128Cbc(KEY.subarray(16), IV, blocks).subarray(0, blocks.length);
  return authenticatePlain(KEY, IV, AAD, ciphertext);
}

describe('sealA128CbcHs256', () => {
  it.each([0, 1, 15, 16, 17, 4095, 4096, 65_503])(
    'seals %i bytes into a buffer of its own, and open returns the original bytes',
    (size) => {
      const plaintext = randomBytes(size);
      const sealed = sealA128CbcHs256(KEY, IV, AAD, plaintext);
      expect(sealed.length).toBe((Math.floor(size / 16) + 1) * 16 + 16);
      expect(sealed.buffer.byteLength).toBe(sealed.length);
      const opened = openA128CbcHs256(KEY, IV, AAD, sealed);
      expect(Buffer.from(opened)).toEqual(plaintext);
      expect(opened.buffer.byteLength).toBe(size);
    },
  );

  it.each([0, 1, 64, 8191])('authenticates %i bytes of associated data', (size) => {
    const aad = Buffer.alloc(size, 5);
    const sealed = sealA128CbcHs256(KEY, IV, aad, PLAINTEXT);
    expect(Buffer.from(openA128CbcHs256(KEY, IV, aad, sealed))).toEqual(PLAINTEXT);
    const longer = Buffer.alloc(size + 1, 5);
    expect(() => openA128CbcHs256(KEY, IV, longer, sealed)).toThrow(failsWith('ERR_OPEN_FAILED'));
  });

  it.each([0, 16, 31, 33, 64])('refuses a key of %i bytes', (size) => {
    const key = randomBytes(size);
    expect(() => sealA128CbcHs256(key, IV, AAD, PLAINTEXT)).toThrow(failsWith('ERR_KEY_LENGTH'));
    expect(() => openA128CbcHs256(key, IV, AAD, Buffer.alloc(32))).toThrow(failsWith('ERR_KEY_LENGTH'));
  });

  it.each([0, 12, 15, 17])('refuses an IV of %i bytes', (size) => {
    const iv = randomBytes(size);
    expect(() => sealA128CbcHs256(KEY, iv, AAD, PLAINTEXT)).toThrow(failsWith('ERR_IV_LENGTH'));
    expect(() => openA128CbcHs256(KEY, iv, AAD, Buffer.alloc(32))).toThrow(failsWith('ERR_IV_LENGTH'));
  });
});

describe('openA128CbcHs256', () => {
  const sealed = sealA128CbcHs256(KEY, IV, AAD, PLAINTEXT);

  it('refuses every flipped bit of ciphertext, tag, IV, associated data and key', () => {
    const codes = new Set<string>();
    for (let bit = 0; bit < sealed.length * 8; bit++) codes.add(codeOf(KEY, IV, AAD, flipped(sealed, bit)));
    for (let bit = 0; bit < IV.length * 8; bit++) codes.add(codeOf(KEY, flipped(IV, bit), AAD, sealed));
    for (let bit = 0; bit < AAD.length * 8; bit++) codes.add(codeOf(KEY, IV, flipped(AAD, bit), sealed));
    for (let bit = 0; bit < 128; bit++) codes.add(codeOf(flipped(KEY, bit), IV, AAD, sealed));
    expect([...codes]).toEqual(['ERR_OPEN_FAILED']);
  });

  it('refuses every truncation, and every extension up to a block', () => {
    for (let end = 0; end < sealed.length; end++) {
      expect(codeOf(KEY, IV, AAD, sealed.subarray(0, end)), `cut at ${end}`).toBe('ERR_OPEN_FAILED');
    }
    for (let more = 1; more <= 16; more++) {
      const extended = Buffer.concat([sealed, Buffer.alloc(more)]);
      expect(codeOf(KEY, IV, AAD, extended), `${more} more`).toBe('ERR_OPEN_FAILED');
    }
  });

  it('refuses a ciphertext under another key with the same MAC half', () => {
    const otherEncryptionKey = Buffer.concat([KEY.subarray(0, 16), randomBytes(16)]);
    const failures = Array.from({ length: 50 }, () => {
      const forged = sealA128CbcHs256(KEY, randomBytes(16), AAD, Buffer.alloc(0));
      try {
        openA128CbcHs256(otherEncryptionKey, IV, AAD, forged);
        return 'opened';
      } catch (error) {
        return error instanceof CryptoError ? error.code : 'no code';
      }
    });
    expect(new Set(failures)).toEqual(new Set(['ERR_OPEN_FAILED']));
  });

  it('does not distinguish bad padding under a valid tag from a bad tag or a bad length', () => {
    const failures = [
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, sealUnpadded(Buffer.alloc(16, 0)))),
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, sealUnpadded(Buffer.alloc(32, 0xff)))),
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, flipped(sealed, 3))),
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, sealed.subarray(1))),
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, Buffer.alloc(0))),
    ];
    const seen = failures.map(({ code, fault, message, cause }) => ({ code, fault, message, cause }));
    expect(new Set(seen.map((failure) => JSON.stringify(failure))).size).toBe(1);
    expect(seen[0]).toMatchObject({ code: 'ERR_OPEN_FAILED', fault: 'input', cause: undefined });
  });

  it('shows neither key nor plaintext in its error', () => {
    const text = inspect(
      failureOf(() => openA128CbcHs256(KEY, IV, AAD, flipped(sealed, 0))),
      { showHidden: true, depth: 9 },
    );
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      expect(text).not.toContain(KEY.toString(encoding));
      expect(text).not.toContain(PLAINTEXT.toString(encoding));
    }
  });
});
