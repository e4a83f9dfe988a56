// IV(n) = AES-128(IVK, 0^64 ‖ u64be(n)) for n, n + 1, … (docs/protocol.md §3). The keystream of AES-128-CTR that starts
// at that block has the same bytes, and one call produces many of them.
import { createCipheriv } from 'node:crypto';
import type { Cipher } from 'node:crypto';

import { BLOCK_BYTES } from './aes-cbc.js';
import { wipe } from './secret-bytes.js';

/** A small number, so that an idle connection holds little memory. */
const POOL_IVS = 16;
const ZEROS = Buffer.alloc(POOL_IVS * BLOCK_BYTES);

/** The IVs of one key, starting at one n. They are unpredictable without the key and never sent. */
export class IvSequence {
  readonly #keystream: Cipher;
  #pool: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param ivKey - IVK: 16 bytes, not used for anything else. */
  constructor(ivKey: Buffer, n: number) {
    const counterBlock = Buffer.alloc(BLOCK_BYTES);
    counterBlock.writeUIntBE(n, 10, 6);
    this.#keystream = createCipheriv('aes-128-ctr', ivKey, counterBlock);
  }

  /** The IV of the current n, 16 bytes: a view, valid until {@link advance}. */
  get current(): Buffer {
    if (this.#at === this.#pool.length) {
      wipe(this.#pool);
      this.#pool = this.#keystream.update(ZEROS);
      this.#at = 0;
    }
    return this.#pool.subarray(this.#at, this.#at + BLOCK_BYTES);
  }

  /** Moves to the next n after the IV has been used. */
  advance(): void {
    this.#at = Math.min(this.#at + BLOCK_BYTES, this.#pool.length);
  }

  /** Overwrites the unused IVs. */
  wipe(): void {
    wipe(this.#pool);
  }
}
