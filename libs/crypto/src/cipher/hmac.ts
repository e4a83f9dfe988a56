// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104):   HMAC(K, m) = H(K ^ opad ‖ H(K ^ ipad ‖ m))
//
// Two one-shot hashes cost a third to a half of what an HMAC object costs, which is most of the cost of a small
// message.
import { createHash, createHmac, hash } from 'node:crypto';

import { wipe } from './secret-bytes.js';

export const HASH_BYTES = 32;
export const TAG_BYTES = 16;
const HASH_BLOCK_BYTES = 64;
const IPAD = 0x36;
const OPAD = 0x5c;
/** The longest input that is hashed in one shot: the largest record with its associated data and IV. */
const MAX_INPUT_BYTES = 65_536 + 128;
/** The longest input of {@link hmacSha256} that is hashed in one shot; the inputs of the handshake are shorter. */
const MAX_SHORT_BYTES = 512;
const TWO_TO_32 = 0x1_0000_0000;

// Shared by the process: an HMAC is computed, and its pads are wiped, before the next one begins.
const input = Buffer.alloc(HASH_BLOCK_BYTES + MAX_INPUT_BYTES);
const outerInput = Buffer.alloc(HASH_BLOCK_BYTES + HASH_BYTES);
const aadBits = Buffer.alloc(8);

/** Returns the SHA-256 of the concatenated parts. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** Returns the HMAC-SHA-256 of the concatenated parts. The boundaries between them are not authenticated. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const isShort = key.length <= HASH_BLOCK_BYTES && bytes <= MAX_SHORT_BYTES;
  const digest = isShort ? hmacOfShort(key, parts) : hmacOfAny(key, parts);
  const own = Uint8Array.from(digest); // Node may have used pooled memory
  wipe(digest);
  return own;
}

/** Computes the tags of A128CBC-HS256 for many messages under one MAC key of 16 bytes, kept in the form of two pads. */
export class HmacTag {
  readonly #macKey: Uint8Array;
  readonly #innerPad = new Uint8Array(HASH_BLOCK_BYTES);
  /** K ^ opad, and room for the inner hash after it. */
  readonly #outer = Buffer.alloc(HASH_BLOCK_BYTES + HASH_BYTES);

  constructor(macKey: Uint8Array) {
    this.#macKey = Uint8Array.from(macKey);
    writePad(this.#innerPad, macKey, IPAD);
    writePad(this.#outer, macKey, OPAD);
  }

  /** Writes the 16 bytes of the tag of `aad ‖ iv ‖ ciphertext ‖ u64be(bits of aad)` to `target`. */
  write(target: Buffer, offset: number, aad: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): void {
    if (aad.length + iv.length + ciphertext.length + aadBits.length > MAX_INPUT_BYTES) {
      target.set(hmacSha256(this.#macKey, aad, iv, ciphertext, bitsOf(aad)).subarray(0, TAG_BYTES), offset);
      return;
    }
    aadBits.writeUInt32BE(aad.length * 8, 4);
    input.set(this.#innerPad);
    let end = append(aad, HASH_BLOCK_BYTES);
    end = append(iv, end);
    input.set(ciphertext, end);
    end = append(aadBits, end + ciphertext.length);
    // Binary strings cost a third of what buffers cost. They cannot be wiped, but neither hash is a key.
    const inner = hash('sha256', input.subarray(0, end), 'binary');
    input.fill(0, 0, HASH_BLOCK_BYTES); // the pad is the key
    this.#outer.write(inner, HASH_BLOCK_BYTES, HASH_BYTES, 'latin1');
    target.write(hash('sha256', this.#outer, 'binary'), offset, TAG_BYTES, 'latin1');
  }

  /** Overwrites the key. The object must not be used afterwards. */
  wipe(): void {
    wipe(this.#macKey, this.#innerPad, this.#outer);
  }
}

function hmacOfShort(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  writePad(input, key, IPAD);
  writePad(outerInput, key, OPAD);
  let end = HASH_BLOCK_BYTES;
  for (const part of parts) {
    input.set(part, end);
    end += part.length;
  }
  const innerHash = hash('sha256', input.subarray(0, end), 'buffer');
  outerInput.set(innerHash, HASH_BLOCK_BYTES);
  const digest = hash('sha256', outerInput, 'buffer'); // not a string: it may become a key
  wipe(input.subarray(0, end), outerInput, innerHash);
  return digest;
}

function hmacOfAny(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Writes K ^ pad, one block of the hash. */
function writePad(target: Uint8Array, key: Uint8Array, pad: number): void {
  target.fill(pad, 0, HASH_BLOCK_BYTES);
  for (let at = 0; at < key.length; at++) target[at] = (key[at] ?? 0) ^ pad;
}

/** Appends a part to the input in a loop, which costs less than `set` for a few bytes. */
function append(part: Uint8Array, start: number): number {
  for (let at = 0; at < part.length; at++) input[start + at] = part[at] ?? 0;
  return start + part.length;
}

function bitsOf(aad: Uint8Array): Buffer {
  const bits = Buffer.alloc(8);
  bits.writeUInt32BE(Math.floor((aad.length * 8) / TWO_TO_32));
  bits.writeUInt32BE((aad.length * 8) % TWO_TO_32, 4);
  return bits;
}
