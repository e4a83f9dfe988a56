// The key of one direction (docs/protocol.md §5.4): its cipher, its counter, and how much it has sealed or opened.
import { wipe } from '@sealwire/crypto';

import { freeCell, takeCell, viewCell } from './key-cells.js';
import { SUITE } from './record.js';

/** The counter stays below this: the connection ends before a counter could repeat. */
export const MAX_RECORDS = 2 ** 48;
/** The records between two KEY_UPDATEs of a sender, unless the key is old. A receiver allows one update for as many. */
export const KEY_UPDATE_SPACING_RECORDS = 64;
export const KEY_UPDATE_BURST = 16;
/**
 * The limits of one key. At a soft limit the sender updates the key; at a hard one the receiver ends the connection.
 */
export interface KeyLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly softRecords: number;
  readonly hardRecords: number;
  readonly softAgeMs: number;
  readonly hardAgeMs: number;
}

/** Replaces the cell of a wiped key. */
const WIPED = -1;

/** `Cipher` seals or opens under the key, and is created on first use. Key and counter are one object to save memory. */
export abstract class TrafficKey<Cipher extends { wipe(): void }> {
  protected readonly limits: KeyLimits;
  #cell: number;
  #cipher: Cipher | undefined;
  #n: number;
  #bornMs: number;
  #bytes = 0;
  #records = 0;
  /** The number of KEY_UPDATEs that are still allowed at any age of the key. Both sides count them. */
  #updatesLeft = KEY_UPDATE_BURST;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#cell = takeCell(key);
    this.limits = limits;
    this.#n = n;
    this.#bornMs = Math.floor(nowMs);
  }

  /** The age of a key from which an update does not count. */
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

  /** Overwrites the key when the connection has ended. No counter is left for another record. */
  wipe(): void {
    this.hibernate();
    if (this.#cell !== WIPED) freeCell(this.#cell);
    this.#cell = WIPED;
    this.#n = MAX_RECORDS;
  }

  /** Counts a record of any type. */
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

  /** Returns whether the key may be updated at this age. */
  protected allowsUpdate(ageMs: number): boolean {
    return this.#updatesLeft > 0 || ageMs >= this.freeUpdateMs;
  }

  /** Replaces the key with the next one, and overwrites it. The counter continues. */
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
