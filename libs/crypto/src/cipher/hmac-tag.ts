// T of A128CBC-HS256 for many messages under one MAC key. HMAC by its definition (RFC 2104):
//
//   HMAC(K, m) = H(K ^ opad ‖ H(K ^ ipad ‖ m))
//
// Two one-shot hashes cost a third of what an HMAC object costs, which is most of the cost of a small message.
import { hash } from 'node:crypto';

import { hmacSha256 } from './hkdf.js';
import { wipe } from './secret-bytes.js';

export const TAG_BYTES = 16;
const HASH_BLOCK_BYTES = 64;
const INNER_HASH_BYTES = 32;
const IPAD = 0x36;
const OPAD = 0x5c;
/** The hash needs its input in one piece: room for the largest record. Anything longer goes through an HMAC object. */
const MAX_INPUT_BYTES = 65_536 + 128;

// One for the process: a tag is computed before the next one begins.
const input = Buffer.alloc(HASH_BLOCK_BYTES + MAX_INPUT_BYTES);
const aadBits = Buffer.alloc(8);

/** Computes tags under one MAC key of 16 bytes, which it keeps in the form of two pads. */
export class HmacTag {
  readonly #macKey: Uint8Array;
  readonly #innerPad: Uint8Array;
  /** K ^ opad, and room for the inner hash behind it. */
  readonly #outer = Buffer.alloc(HASH_BLOCK_BYTES + INNER_HASH_BYTES);

  constructor(macKey: Uint8Array) {
    this.#macKey = Uint8Array.from(macKey);
    this.#innerPad = pad(macKey, IPAD);
    const outerPad = pad(macKey, OPAD);
    this.#outer.set(outerPad);
    wipe(outerPad);
  }

  /** Writes the 16 bytes of the tag of `aad ‖ iv ‖ ciphertext ‖ u64be(bits of aad)` to `target`. */
  write(target: Buffer, offset: number, aad: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): void {
    aadBits.writeUInt32BE(aad.length * 8, 4);
    if (aad.length + iv.length + ciphertext.length + aadBits.length > MAX_INPUT_BYTES) {
      target.set(hmacSha256(this.#macKey, aad, iv, ciphertext, aadBits).subarray(0, TAG_BYTES), offset);
      return;
    }
    input.set(this.#innerPad);
    let end = append(aad, HASH_BLOCK_BYTES);
    end = append(iv, end);
    input.set(ciphertext, end);
    end = append(aadBits, end + ciphertext.length);
    // Hashes as strings of bytes: Node makes those for a third of what a buffer costs. Neither of them is a key.
    const inner = hash('sha256', input.subarray(0, end), 'binary');
    input.fill(0, 0, HASH_BLOCK_BYTES); // the pad is the key
    this.#outer.write(inner, HASH_BLOCK_BYTES, INNER_HASH_BYTES, 'latin1');
    target.write(hash('sha256', this.#outer, 'binary'), offset, TAG_BYTES, 'latin1');
  }

  /** Overwrites the key. There is no tag after that. */
  wipe(): void {
    wipe(this.#macKey, this.#innerPad, this.#outer);
  }
}

/** For so few bytes a loop costs less than `set`. */
function append(part: Uint8Array, start: number): number {
  for (let at = 0; at < part.length; at++) input[start + at] = part[at] ?? 0;
  return start + part.length;
}

function pad(key: Uint8Array, value: number): Uint8Array {
  const padded = new Uint8Array(HASH_BLOCK_BYTES).fill(value);
  for (const [at, byte] of key.entries()) padded[at] = byte ^ value;
  return padded;
}
