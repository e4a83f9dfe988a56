// AES-128-CBC with PKCS #7 padding (NIST SP 800-38A §6.2, RFC 5652 §6.3), without authentication.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Decipher } from 'node:crypto';

import { CryptoError } from '../errors.js';

export const BLOCK_BYTES = 16;
const AES_KEY_BYTES = 16;

/**
 * Encrypts with AES-128-CBC alone. The result is not authenticated: an attacker who alters it alters the plaintext.
 * Use {@link sealA128CbcHs256} for anything that leaves the process.
 *
 * @param iv - 16 unpredictable bytes, used only once under `key`.
 * @returns A fresh buffer, 1 to 16 bytes longer than `plaintext`.
 * @throws {CryptoError} `ERR_KEY_LENGTH`, `ERR_IV_LENGTH`
 */
export function encryptAes128Cbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkKeyAndIv(key, iv);
  const ciphertext = new Uint8Array(ciphertextBytes(plaintext.length));
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  const head = cipher.update(plaintext);
  ciphertext.set(head);
  ciphertext.set(cipher.final(), head.length);
  return ciphertext;
}

/**
 * Decrypts the result of {@link encryptAes128Cbc}.
 *
 * @returns The plaintext, in a buffer of its own.
 * @throws {CryptoError} `ERR_DECRYPT_FAILED` - the length is not a positive multiple of 16 bytes, or the padding is
 * invalid. Do not reveal this failure to a peer: one bit is enough to decrypt everything (a padding oracle).
 * `ERR_KEY_LENGTH`, `ERR_IV_LENGTH` - mistakes of the caller.
 */
export function decryptAes128Cbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  checkKeyAndIv(key, iv);
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) {
    const message = `Decryption failed: ${ciphertext.length} bytes; expected a positive multiple of ${BLOCK_BYTES}`;
    throw new CryptoError('ERR_DECRYPT_FAILED', message);
  }
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  const head = decipher.update(ciphertext);
  const tail = finalOf(decipher);
  const plaintext = new Uint8Array(head.length + tail.length);
  plaintext.set(head);
  plaintext.set(tail, head.length);
  return plaintext;
}

/** Returns the length of the ciphertext: the next multiple of 16, because padding is never empty. */
export function ciphertextBytes(plaintextBytes: number): number {
  return plaintextBytes - (plaintextBytes % BLOCK_BYTES) + BLOCK_BYTES;
}

function checkKeyAndIv(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== AES_KEY_BYTES) {
    throw new CryptoError('ERR_KEY_LENGTH', `Invalid AES-128 key: ${key.length} bytes; expected ${AES_KEY_BYTES}`);
  }
  if (iv.length !== BLOCK_BYTES) {
    throw new CryptoError('ERR_IV_LENGTH', `Invalid AES-128-CBC IV: ${iv.length} bytes; expected ${BLOCK_BYTES}`);
  }
}

function finalOf(decipher: Decipher): Uint8Array {
  try {
    return decipher.final();
  } catch (cause) {
    throw new CryptoError('ERR_DECRYPT_FAILED', 'Decryption failed: bad padding; wrong key or IV, or altered bytes', {
      cause,
    });
  }
}
