// A128CBC-HS256, RFC 7518 §5.2 (docs/protocol.md §3): encrypt-then-MAC.
//
//   K = MAC(16) ‖ ENC(16)
//   E = AES-128-CBC(ENC, IV, plaintext ‖ PKCS #7 padding)
//   T = the first 16 bytes of HMAC-SHA-256(MAC, A ‖ IV ‖ E ‖ u64be(bits of A))
import { BLOCK_BYTES, ciphertextBytes, decryptAes128Cbc, encryptInto } from './aes-cbc.js';
import { CryptoError } from '../errors.js';
import { hmacSha256 } from './hkdf.js';
import { TAG_BYTES } from './hmac-tag.js';
import { equalBytes, wipe } from './secret-bytes.js';

const KEY_BYTES = 32;
export const MAC_KEY_BYTES = 16;

/**
 * Seals `plaintext` as A128CBC-HS256, RFC 7518 §5.2.2.1.
 *
 * @param key - 32 bytes: the MAC key, then the encryption key. Read, never kept.
 * @param iv - 16 bytes that no attacker could have predicted and that are used once under `key`.
 * @param aad - Authenticated but not transmitted. {@link openA128CbcHs256} must be given the same bytes.
 * @returns A fresh buffer: ciphertext(16·m) ‖ tag(16); 17 to 32 bytes longer than `plaintext`.
 * @throws {CryptoError} `ERR_KEY_LENGTH`, `ERR_IV_LENGTH`
 */
export function sealA128CbcHs256(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkLengths(key, iv);
  const ciphertextEnd = ciphertextBytes(plaintext.length);
  const sealed = new Uint8Array(ciphertextEnd + TAG_BYTES);
  encryptInto(sealed, key.subarray(MAC_KEY_BYTES), iv, plaintext);
  sealed.set(computeTag(key, iv, aad, sealed.subarray(0, ciphertextEnd)), ciphertextEnd);
  return sealed;
}

/**
 * Opens what {@link sealA128CbcHs256} made; RFC 7518 §5.2.2.2.
 *
 * @returns The plaintext, in a buffer of its own.
 * @throws {CryptoError} `ERR_OPEN_FAILED` - altered, truncated, or sealed with another `key`, `iv` or `aad`;
 *   which of them is not told, on purpose (docs/protocol.md §3). `ERR_KEY_LENGTH` and `ERR_IV_LENGTH` are the
 *   caller's mistakes and do not depend on `sealed`.
 */
export function openA128CbcHs256(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  checkLengths(key, iv);
  if (sealed.length < BLOCK_BYTES + TAG_BYTES || sealed.length % BLOCK_BYTES !== 0) throw openFailed();
  const ciphertext = sealed.subarray(0, sealed.length - TAG_BYTES);
  const tag = sealed.subarray(sealed.length - TAG_BYTES);
  const expected = computeTag(key, iv, aad, ciphertext);
  const isGenuine = equalBytes(expected, tag);
  wipe(expected); // the right tag of a forgery would make it genuine
  if (!isGenuine) throw openFailed();
  return decryptVerified(key, iv, ciphertext);
}

// Padding can be bad under a good tag only where a holder of the key sealed it so: the same one failure.
function decryptVerified(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  try {
    return decryptAes128Cbc(key.subarray(MAC_KEY_BYTES), iv, ciphertext);
  } catch {
    throw openFailed();
  }
}

function computeTag(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const aadBits = new Uint8Array(8);
  new DataView(aadBits.buffer).setBigUint64(0, BigInt(aad.length) * 8n);
  const digest = hmacSha256(key.subarray(0, MAC_KEY_BYTES), aad, iv, ciphertext, aadBits);
  const tag = digest.slice(0, TAG_BYTES);
  wipe(digest);
  return tag;
}

export function checkKeyLength(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) {
    throw new CryptoError('ERR_KEY_LENGTH', `A key of A128CBC-HS256 has ${KEY_BYTES} bytes, not ${key.length}`);
  }
}

function checkLengths(key: Uint8Array, iv: Uint8Array): void {
  checkKeyLength(key);
  if (iv.length !== BLOCK_BYTES) {
    throw new CryptoError('ERR_IV_LENGTH', `The IV of A128CBC-HS256 has ${BLOCK_BYTES} bytes, not ${iv.length}`);
  }
}

export function openFailed(): CryptoError {
  return new CryptoError('ERR_OPEN_FAILED', 'Sealed bytes that do not open under this key, IV and associated data');
}
