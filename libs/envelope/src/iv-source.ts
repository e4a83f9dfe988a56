import { randomBytes } from '@sealwire/crypto/internal';

export const IV_BYTES = 16;
/** Not more, because a clone of the memory of the process uses the rest of a batch again. */
const IVS_OF_BATCH = 64;

/** Random IVs. Drawing one alone costs more than sealing a small message. */
export class IvSource {
  #batch = Buffer.alloc(0);
  #at = 0;

  /** Returns 16 random bytes that were never returned before. */
  next(): Buffer {
    if (this.#at === this.#batch.length) {
      this.#batch = randomBytes(IVS_OF_BATCH * IV_BYTES);
      this.#at = 0;
    }
    const start = this.#at;
    this.#at += IV_BYTES;
    return this.#batch.subarray(start, this.#at);
  }
}
