// HMAC-SHA-256 and HKDF (RFC 2104, RFC 5869). `createHmac` twice is three times as fast as `hkdfSync` once, and two
// one-shot hashes are twice as fast as `createHmac`.
import { createHmac, hash } from 'node:crypto';

import { CryptoError } from '../errors.js';
import { wipe } from './secret-bytes.js';

export const HASH_BYTES = 32;
const MAX_OUTPUT_BYTES = 255 * HASH_BYTES; // the block counter is one byte
const HASH_BLOCK_BYTES = 64;
const IPAD = 0x36;
const OPAD = 0x5c;
/** More than any message of a handshake. Anything longer goes through an HMAC object. */
const MAX_SHORT_BYTES = 512;

// One each for the process: an HMAC is computed, and they are wiped, before the next one begins.
const innerInput = Buffer.alloc(HASH_BLOCK_BYTES + MAX_SHORT_BYTES);
const outerInput = Buffer.alloc(HASH_BLOCK_BYTES + HASH_BYTES);

/** HMAC-SHA-256 of the parts, one after the other. Their borders are not authenticated. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const isShort = key.length <= HASH_BLOCK_BYTES && bytes <= MAX_SHORT_BYTES;
  return ownBytes(isShort ? hmacOfShort(key, parts) : hmacOfAny(key, parts));
}

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

/** By its definition: H(K ^ opad ‖ H(K ^ ipad ‖ m)). */
function hmacOfShort(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  innerInput.fill(IPAD, 0, HASH_BLOCK_BYTES);
  outerInput.fill(OPAD, 0, HASH_BLOCK_BYTES);
  for (let at = 0; at < key.length; at++) {
    const byte = key[at] ?? 0;
    innerInput[at] = byte ^ IPAD;
    outerInput[at] = byte ^ OPAD;
  }
  let end = HASH_BLOCK_BYTES;
  for (const part of parts) {
    innerInput.set(part, end);
    end += part.length;
  }
  const innerHash = hash('sha256', innerInput.subarray(0, end), 'buffer');
  outerInput.set(innerHash, HASH_BLOCK_BYTES);
  const digest = hash('sha256', outerInput, 'buffer'); // not a string: it may become a key
  wipe(innerInput.subarray(0, end), outerInput, innerHash);
  return digest;
}

function hmacOfAny(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Moves a digest to memory of its own, whatever memory Node gave it. */
function ownBytes(digest: Buffer): Uint8Array {
  const bytes = Uint8Array.from(digest);
  wipe(digest);
  return bytes;
}
