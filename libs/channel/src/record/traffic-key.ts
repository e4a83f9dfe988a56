// The key of one direction (docs/protocol.md §5.4): its cipher, its counter, and how much it has sealed or opened.
import { wipe } from '@sealwire/crypto';

import { freeCell, takeCell, viewCell } from './key-cells.js';
import { SUITE } from './record.js';

/** n stays below this: the connection ends before a counter could repeat. */
export const MAX_RECORDS = 2 ** 48;
/** A sender leaves as many records between two KEY_UPDATEs, except by age; a receiver grants one for as many, after a burst. */
export const KEY_UPDATE_SPACING_RECORDS = 64;
export const KEY_UPDATE_BURST = 16;
/** In the place of a cell. */
const WIPED = -1;

/** `Cipher` is what seals or opens under the key. It is made when there is work. One object: idle connections have two each. */
export abstract class TrafficKey<Cipher extends { wipe(): void }> {
  #cell: number;
  #cipher: Cipher | undefined;
  #n: number;
  #bornMs: number;
  #bytes = 0;
  #records = 0;
  /** So many KEY_UPDATEs may still come, whatever the age of the key. Both sides count them. */
  #updatesLeft = KEY_UPDATE_BURST;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, n: number, nowMs: number) {
    this.#cell = takeCell(key);
    this.#n = n;
    this.#bornMs = Math.floor(nowMs);
  }

  /** An update takes nothing of the allowance if the key has this age. */
  protected abstract readonly freeUpdateMs: number;
  protected abstract createCipher(key: Buffer, n: number): Cipher;

  protected get n(): number {
    return this.#n;
  }

  protected get records(): number {
    return this.#records;
  }

  protected get updatesLeft(): number {
    return this.#updatesLeft;
  }

  /** Seals or opens record n and increments its own counter; {@link count} must follow. */
  protected get cipher(): Cipher {
    this.#cipher ??= this.createCipher(viewCell(this.#cell), this.#n);
    return this.#cipher;
  }

  /** Drops the cipher, which is most of the memory of an idle connection. The next record creates it again. */
  hibernate(): void {
    this.#cipher?.wipe();
    this.#cipher = undefined;
  }

  /** The connection has ended. The key is overwritten, and no counter is left for another record. */
  wipe(): void {
    this.hibernate();
    if (this.#cell !== WIPED) freeCell(this.#cell);
    this.#cell = WIPED;
    this.#n = MAX_RECORDS;
  }

  /** A record has gone through, whatever it says. */
  protected count(bytes: number): void {
    const isNthOfSpacing = this.#n % KEY_UPDATE_SPACING_RECORDS === KEY_UPDATE_SPACING_RECORDS - 1;
    if (isNthOfSpacing && this.#updatesLeft < KEY_UPDATE_BURST) this.#updatesLeft += 1;
    this.#n += 1;
    this.#bytes += bytes;
    this.#records += 1;
  }

  protected exceeds(bytes: number, records: number): boolean {
    return this.#bytes >= bytes || this.#records >= records;
  }

  protected ageMs(nowMs: number): number {
    return nowMs - this.#bornMs;
  }

  /** Whether the key may end at this age. */
  protected allowsUpdate(ageMs: number): boolean {
    return this.#updatesLeft > 0 || ageMs >= this.freeUpdateMs;
  }

  /** Replaces the key by the next one, and overwrites it. n goes on. */
  updateKey(nowMs: number): void {
    if (this.ageMs(nowMs) < this.freeUpdateMs && this.#updatesLeft > 0) this.#updatesLeft -= 1;
    this.hibernate();
    const key = viewCell(this.#cell);
    const next = SUITE.rekey(key);
    key.set(next);
    wipe(next);
    this.#bornMs = Math.floor(nowMs);
    this.#bytes = 0;
    this.#records = 0;
  }
}
