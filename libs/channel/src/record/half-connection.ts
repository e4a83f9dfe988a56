// One direction of an open connection (docs/protocol.md §5, §7): its key, its counter, and what the key has carried.
import type { Opener, Sealer } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { mayEndOldKey } from './content.js';
import { associatedData, LENGTH_BYTES, SUITE } from './record.js';
import { MAX_RECORDS, TrafficKey } from './traffic-key.js';
import { KEY_UPDATE_BURST, KEY_UPDATE_SPACING_RECORDS, UpdateAllowance } from './update-allowance.js';

/** Limits of one key. Soft ones make the sender refresh it, hard ones make the receiver end the connection. */
export interface KeyLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly softRecords: number;
  readonly hardRecords: number;
  readonly softAgeMs: number;
  readonly hardAgeMs: number;
}

/** An update takes no allowance if it is read this long after the one before. */
const FREE_UPDATE_MS = 30 * 60_000;
/** A sender waits longer than that: an update that is delayed on its way shortens the time that the receiver measures. */
const SURELY_FREE_UPDATE_MS = 35 * 60_000;

/** Seals the records of one direction, in order. */
export class SealingHalf {
  readonly #limits: KeyLimits;
  readonly #allowance = new UpdateAllowance(SURELY_FREE_UPDATE_MS);
  #key: TrafficKey<Sealer>;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(copyOf(key), SUITE.createSealer, n, nowMs);
    this.#limits = limits;
  }

  /** Whether the key has reached its soft age, and may be replaced: KEY_UPDATE comes before whatever else is sealed. */
  isOld(nowMs: number): boolean {
    const ageMs = this.#key.ageMs(nowMs);
    return ageMs >= this.#limits.softAgeMs && this.#allowance.allows(ageMs);
  }

  /** Whether the key has carried as much as it should, and may be replaced: KEY_UPDATE comes before the next DATA. */
  isSpent(nowMs: number): boolean {
    const { softBytes, softRecords } = this.#limits;
    const hasCarriedAll = this.#key.records >= KEY_UPDATE_SPACING_RECORDS && this.#key.exceeds(softBytes, softRecords);
    return hasCarriedAll && this.#allowance.allows(this.#key.ageMs(nowMs));
  }

  /** How long the key has until it is to be replaced even if nothing is sealed. */
  keyLeftMs(nowMs: number): number {
    return this.#limits.softAgeMs - this.#key.ageMs(nowMs);
  }

  /**
   * Whether keys have been replaced by their age so often that the connection has to be replaced as well. Half of the
   * updates that the peer grants is left for that time.
   */
  get isShortOfUpdates(): boolean {
    return this.#allowance.left <= KEY_UPDATE_BURST / 2;
  }

  /**
   * Writes the whole record, length ‖ body, to `target`, which must hold its `recordBytes` from `offset` on.
   *
   * @param inner - Its first `bytes` bytes are sealed. It must have the padding room of the suite after them, and is
   *   overwritten.
   * @throws {TransportError} `ERR_KEY_EXHAUSTED` - no counter is left.
   */
  sealInto(target: Buffer, offset: number, inner: Buffer, bytes: number): void {
    const { n } = this.#key;
    if (n >= MAX_RECORDS) throw exhausted();
    const bodyBytes = SUITE.sealedBytes(bytes);
    target.writeUInt16BE(bodyBytes, offset);
    this.#key.cipher.sealInto(target, offset + LENGTH_BYTES, associatedData(n, bodyBytes), inner, bytes);
    this.#allowance.countRecord(n);
    this.#key.count(bodyBytes);
  }

  /** To be called when KEY_UPDATE has been sealed: it is the last record under the old key. n goes on. */
  updateKey(nowMs: number): void {
    this.#allowance.take(this.#key.ageMs(nowMs));
    this.#key = this.#key.next(nowMs);
  }

  /** Drops what the next record can make again from the key. */
  hibernate(): void {
    this.#key.hibernate();
  }

  /** Overwrites the key: the connection has ended, and nothing can be sealed any more. */
  wipe(): void {
    this.#key.wipe();
  }
}

/** Opens the records of one direction, in order. A failure ends the connection. */
export class OpeningHalf {
  readonly #limits: KeyLimits;
  readonly #allowance = new UpdateAllowance(FREE_UPDATE_MS);
  #key: TrafficKey<Opener>;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(copyOf(key), SUITE.createOpener, n, nowMs);
    this.#limits = limits;
  }

  /**
   * Opens the next record; n moves only when it was genuine.
   *
   * @throws {TransportError} `ERR_BAD_MAC`, or `ERR_KEY_EXHAUSTED` when the peer should have updated its key.
   */
  open(body: Buffer, nowMs: number): Buffer {
    const { hardBytes, hardRecords, hardAgeMs } = this.#limits;
    const { n } = this.#key;
    if (n >= MAX_RECORDS || this.#key.exceeds(hardBytes, hardRecords)) throw exhausted();
    const inner = this.#open(n, body);
    this.#allowance.countRecord(n);
    this.#key.count(body.length);
    // A side that was suspended has an old key, and its first record is to replace it.
    if (this.#key.ageMs(nowMs) >= hardAgeMs && !mayEndOldKey(inner)) throw exhausted();
    return inner;
  }

  /**
   * The peer's KEY_UPDATE has been opened: the next record is under the next key.
   *
   * @throws {TransportError} `ERR_KEY_UPDATE_FLOOD` - key derivation is work that a peer must not order at will.
   */
  updateKey(nowMs: number): void {
    const ageMs = this.#key.ageMs(nowMs);
    if (!this.#allowance.allows(ageMs))
      throw new TransportError('ERR_KEY_UPDATE_FLOOD', 'More KEY_UPDATEs than records and time justify');
    this.#allowance.take(ageMs);
    this.#key = this.#key.next(nowMs);
  }

  /** Drops what the next record can make again from the key. */
  hibernate(): void {
    this.#key.hibernate();
  }

  /** Overwrites the key: the connection has ended, and nothing can be opened any more. */
  wipe(): void {
    this.#key.wipe();
  }

  #open(n: number, body: Buffer): Buffer {
    try {
      return this.#key.cipher.open(associatedData(n, body.length), body);
    } catch (cause) {
      throw new TransportError(
        'ERR_BAD_MAC',
        'A record failed authentication: tampered, repeated, reordered, or sealed under another key',
        { cause },
      );
    }
  }
}

/** Not `Buffer.from`, whose copies are in the pool that all small Buffers of the process share. */
function copyOf(key: Buffer): Buffer {
  const copy = Buffer.alloc(key.length);
  copy.set(key);
  return copy;
}

function exhausted(): TransportError {
  return new TransportError('ERR_KEY_EXHAUSTED', 'A key was used beyond its limits');
}
