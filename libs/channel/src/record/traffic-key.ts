// The key of one direction (docs/protocol.md §5.4): its cipher, its counter, and a count of what it has sealed or opened.
import { wipe } from '@sealwire/crypto';

import { SUITE } from './record.js';

/** n never reaches this: the connection ends before a counter could come again. */
export const MAX_RECORDS = 2 ** 48;

/** `Cipher` is what seals or opens under the key. It is made when there is work. */
export class TrafficKey<Cipher extends { wipe(): void }> {
  readonly #key: Buffer;
  readonly #createCipher: (key: Buffer, n: number) => Cipher;
  readonly #bornMs: number;
  #cipher: Cipher | undefined;
  #n: number;
  #bytes = 0;
  #records = 0;

  /** @param key - Kept, and overwritten at its end. */
  constructor(key: Buffer, createCipher: (key: Buffer, n: number) => Cipher, n: number, nowMs: number) {
    this.#key = key;
    this.#createCipher = createCipher;
    this.#n = n;
    this.#bornMs = nowMs;
  }

  get n(): number {
    return this.#n;
  }

  get records(): number {
    return this.#records;
  }

  /** Seals or opens record n, and moves on to the next by itself; {@link count} has to follow. */
  get cipher(): Cipher {
    this.#cipher ??= this.#createCipher(this.#key, this.#n);
    return this.#cipher;
  }

  /** Frees most of the memory of a connection that is idle: the next record makes the cipher again. */
  hibernate(): void {
    this.#cipher?.wipe();
    this.#cipher = undefined;
  }

  /** The end of the key: no counter is left for another record. */
  wipe(): void {
    this.hibernate();
    wipe(this.#key);
    this.#n = MAX_RECORDS;
  }

  /** A record has gone through. */
  count(bytes: number): void {
    this.#n += 1;
    this.#bytes += bytes;
    this.#records += 1;
  }

  exceeds(bytes: number, records: number): boolean {
    return this.#bytes >= bytes || this.#records >= records;
  }

  ageMs(nowMs: number): number {
    return nowMs - this.#bornMs;
  }

  /** Overwrites this key and returns the next one. n goes on. */
  next(nowMs: number): TrafficKey<Cipher> {
    const next = new TrafficKey(SUITE.rekey(this.#key), this.#createCipher, this.#n, nowMs);
    this.wipe();
    return next;
  }
}
