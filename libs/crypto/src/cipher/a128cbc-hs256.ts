// A128CBC-HS256 for one message under one key. The objects of sealing-key.ts are faster for many messages under one
// key.
import { CryptoError } from '../errors.js';
import { BLOCK_BYTES, ciphertextBytes } from './aes-cbc.js';
import { OpeningKey, sealedBytes, SealingKey } from './sealing-key.js';
import { wipe } from './secret-bytes.js';

/**
 * Seals one message as A128CBC-HS256, RFC 7518 §5.2.2.1.
 *
 * @param key - 32 bytes: the MAC key, then the encryption key. Read, never kept.
 * @param iv - 16 unpredictable bytes, used only once under `key`.
 * @param aad - Authenticated but not transmitted. {@link openA128CbcHs256} must be given the same bytes.
 * @returns A fresh buffer: ciphertext(16·m) ‖ tag(16); 17 to 32 bytes longer than `plaintext`.
 * @throws {CryptoError} `ERR_KEY_LENGTH`, `ERR_IV_LENGTH`
 */
export function sealA128CbcHs256(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealing = new SealingKey(key);
  checkIvLength(iv);
  const sealed = new Uint8Array(sealedBytes(plaintext.length));
  const padded = Buffer.alloc(ciphertextBytes(plaintext.length));
  padded.set(plaintext);
  sealing.sealInto(Buffer.from(sealed.buffer), 0, iv, aad, padded, plaintext.length);
  wipe(padded);
  sealing.wipe();
  return sealed;
}

/**
 * Opens the result of {@link sealA128CbcHs256}; RFC 7518 §5.2.2.2.
 *
 * @returns The plaintext, in a buffer of its own.
 * @throws {CryptoError} `ERR_OPEN_FAILED` - altered, truncated, or sealed with another `key`, `iv` or `aad`. The error
 *   deliberately does not say which (docs/protocol.md §3). `ERR_KEY_LENGTH`, `ERR_IV_LENGTH` - mistakes of the caller,
 *   which do not depend on `sealed`.
 */
export function openA128CbcHs256(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const opening = new OpeningKey(key);
  checkIvLength(iv);
  try {
    const padded = opening.open(iv, aad, sealed);
    const plaintext = Uint8Array.from(padded);
    wipe(padded);
    return plaintext;
  } finally {
    opening.wipe();
  }
}

function checkIvLength(iv: Uint8Array): void {
  if (iv.length === BLOCK_BYTES) return;
  throw new CryptoError('ERR_IV_LENGTH', `Invalid A128CBC-HS256 IV: ${iv.length} bytes; expected ${BLOCK_BYTES}`);
}
