// AES-128-CBC with PKCS #7 padding (NIST SP 800-38A §6.2, RFC 5652 §6.3), without authentication.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Decipher } from 'node:crypto';

import { CryptoError } from '../errors.js';

export const BLOCK_BYTES = 16;
const AES_KEY_BYTES = 16;

/**
 * Encrypts with AES-128-CBC and nothing else: whoever can alter the result can alter the plaintext.
 * Use {@link sealA128CbcHs256} for anything that leaves the process.
 *
 * @param iv - 16 bytes that no attacker could have predicted, used once under `key`.
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
 * Decrypts what {@link encryptAes128Cbc} made.
 *
 * @returns The plaintext, in a buffer of its own.
 * @throws {CryptoError} `ERR_DECRYPT_FAILED` - no whole blocks, or bad padding. Never let a stranger learn of it:
 *   this one bit decrypts everything (a padding oracle). `ERR_KEY_LENGTH`, `ERR_IV_LENGTH` for the caller's mistakes.
 */
export function decryptAes128Cbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  checkKeyAndIv(key, iv);
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) {
    throw new CryptoError('ERR_DECRYPT_FAILED', 'AES-128-CBC ciphertext that is not whole blocks');
  }
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  const head = decipher.update(ciphertext);
  const tail = finalOf(decipher);
  const plaintext = new Uint8Array(head.length + tail.length);
  plaintext.set(head);
  plaintext.set(tail, head.length);
  return plaintext;
}

/** The length of the ciphertext of a plaintext: the next multiple of 16, since padding is never empty. */
export function ciphertextBytes(plaintextBytes: number): number {
  return plaintextBytes - (plaintextBytes % BLOCK_BYTES) + BLOCK_BYTES;
}

function checkKeyAndIv(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== AES_KEY_BYTES) {
    throw new CryptoError('ERR_KEY_LENGTH', `An AES-128 key has ${AES_KEY_BYTES} bytes, not ${key.length}`);
  }
  if (iv.length !== BLOCK_BYTES) {
    throw new CryptoError('ERR_IV_LENGTH', `The IV of AES-128-CBC has ${BLOCK_BYTES} bytes, not ${iv.length}`);
  }
}

function finalOf(decipher: Decipher): Uint8Array {
  try {
    return decipher.final();
  } catch (cause) {
    throw new CryptoError('ERR_DECRYPT_FAILED', 'AES-128-CBC ciphertext with bad padding', { cause });
  }
}
