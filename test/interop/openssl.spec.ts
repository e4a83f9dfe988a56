// AES-128-CBC against the command line of OpenSSL, in both directions.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { decryptAes128Cbc, encryptAes128Cbc } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

const SIZES = [0, 1, 15, 16, 17, 31, 32, 33, 4096, 65_503];
const isMissing = spawnSync('openssl', ['version']).status !== 0;

function openssl(direction: '-e' | '-d', key: Buffer, iv: Buffer, input: Uint8Array): Buffer {
  const args = ['enc', direction, '-aes-128-cbc', '-K', key.toString('hex'), '-iv', iv.toString('hex')];
  const { status, stdout, stderr } = spawnSync('openssl', args, { input });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

describe.skipIf(isMissing)(`openssl enc${isMissing ? ' (skipped: openssl is not installed)' : ''}`, () => {
  it.each(SIZES)('agrees on %i bytes', (size) => {
    const [key, iv, plaintext] = [randomBytes(16), randomBytes(16), randomBytes(size)];
    const ciphertext = encryptAes128Cbc(key, iv, plaintext);
    expect(openssl('-e', key, iv, plaintext)).toEqual(Buffer.from(ciphertext));
    expect(openssl('-d', key, iv, ciphertext)).toEqual(plaintext);
    expect(Buffer.from(decryptAes128Cbc(key, iv, openssl('-e', key, iv, plaintext)))).toEqual(plaintext);
  });

  it('agrees that bad padding decrypts to nothing', () => {
    const [key, iv] = [randomBytes(16), randomBytes(16)];
    const unpadded = encryptAes128Cbc(key, iv, Buffer.alloc(16)).subarray(0, 16);
    expect(() => openssl('-d', key, iv, unpadded)).toThrow(/bad decrypt/);
    expect(() => decryptAes128Cbc(key, iv, unpadded)).toThrow(expect.objectContaining({ code: 'ERR_DECRYPT_FAILED' }));
  });
});
