// One direction of an open connection (docs/protocol.md §5, §7): its key, its counter, and what the key has carried.
import { TransportError } from '../errors.js';

import { deriveIv, expandKey, openExpanded, rekey, sealExpanded, TAG_BYTES } from './cipher-function.js';
import type { ExpandedKey } from './cipher-function.js';
import { LENGTH_BYTES } from './record.js';

/** Limits of one key. Soft ones make the sender refresh it, hard ones make the receiver end the connection. */
export interface KeyLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly softRecords: number;
  readonly hardRecords: number;
  readonly softAgeMs: number;
  readonly hardAgeMs: number;
}

/** n never reaches this: the connection ends before a counter could come again. */
export const MAX_RECORDS = 2 ** 48;
/** A sender leaves as many records between two KEY_UPDATEs; a receiver grants one for as many, after a burst. */
export const KEY_UPDATE_SPACING_RECORDS = 64;
export const KEY_UPDATE_BURST = 16;

const AD_BYTES = 8 + LENGTH_BYTES;

/** A traffic key and what has gone through it. Only the two halves below use it. */
class TrafficKey {
  readonly expanded: ExpandedKey;
  readonly #key: Buffer;
  readonly #bornMs: number;
  #bytes = 0;
  #records = 0;

  constructor(key: Buffer, nowMs: number) {
    this.#key = key;
    this.#bornMs = nowMs;
    this.expanded = expandKey(key);
  }

  get records(): number {
    return this.#records;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
    this.#records += 1;
  }

  exceeds(bytes: number, records: number, ageMs: number, nowMs: number): boolean {
    return this.#bytes >= bytes || this.#records >= records || nowMs - this.#bornMs >= ageMs;
  }

  next(nowMs: number): TrafficKey {
    return new TrafficKey(rekey(this.#key), nowMs);
  }
}

/** Seals the records of one direction, in order. */
export class SealingHalf {
  readonly #limits: KeyLimits;
  #key: TrafficKey;
  #n: number;

  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(key, nowMs);
    this.#limits = limits;
    this.#n = n;
  }

  /** Whether the key has reached a soft limit: KEY_UPDATE comes before the next record. */
  isWorn(nowMs: number): boolean {
    const { softBytes, softRecords, softAgeMs } = this.#limits;
    return this.#key.records >= KEY_UPDATE_SPACING_RECORDS
      ? this.#key.exceeds(softBytes, softRecords, softAgeMs, nowMs)
      : this.#key.exceeds(Infinity, Infinity, softAgeMs, nowMs);
  }

  /**
   * @returns The whole record in a buffer of its own: length ‖ E ‖ T.
   * @throws {TransportError} `ERR_KEY_EXHAUSTED` - no counter is left.
   */
  seal(inner: Buffer): Buffer {
    if (this.#n >= MAX_RECORDS) throw exhausted();
    const bodyBytes = 16 * (Math.floor(inner.length / 16) + 1) + TAG_BYTES;
    const record = Buffer.allocUnsafe(LENGTH_BYTES + bodyBytes);
    record.writeUInt16BE(bodyBytes, 0);
    const { expanded } = this.#key;
    sealExpanded(expanded, deriveIv(expanded, this.#n), associatedData(this.#n, bodyBytes), inner).copy(
      record,
      LENGTH_BYTES,
    );
    this.#n += 1;
    this.#key.count(bodyBytes);
    return record;
  }

  /** To be called when KEY_UPDATE has been sealed: it is the last record under the old key. n goes on. */
  updateKey(nowMs: number): void {
    this.#key = this.#key.next(nowMs);
  }
}

/** Opens the records of one direction, in order. What it throws ends the connection. */
export class OpeningHalf {
  readonly #limits: KeyLimits;
  #key: TrafficKey;
  #n: number;
  #updatesGranted = KEY_UPDATE_BURST;
  #recordsTowardsGrant = 0;

  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(key, nowMs);
    this.#limits = limits;
    this.#n = n;
  }

  /**
   * Opens the next record; n moves only when it was genuine.
   *
   * @throws {TransportError} `ERR_OPEN_FAILED`, or `ERR_KEY_EXHAUSTED` when the peer should have updated its key.
   */
  open(body: Buffer, nowMs: number): Buffer {
    const { hardBytes, hardRecords, hardAgeMs } = this.#limits;
    if (this.#n >= MAX_RECORDS || this.#key.exceeds(hardBytes, hardRecords, hardAgeMs, nowMs)) throw exhausted();
    const { expanded } = this.#key;
    const inner = openExpanded(expanded, deriveIv(expanded, this.#n), associatedData(this.#n, body.length), body);
    this.#n += 1;
    this.#key.count(body.length);
    this.#recordsTowardsGrant += 1;
    if (this.#recordsTowardsGrant === KEY_UPDATE_SPACING_RECORDS) this.#grantUpdate();
    return inner;
  }

  /**
   * The peer's KEY_UPDATE has been opened: the next record is under the next key.
   *
   * @throws {TransportError} `ERR_KEY_UPDATE_FLOOD` - key derivation is work that a peer must not order at will.
   */
  updateKey(nowMs: number): void {
    if (this.#updatesGranted === 0)
      throw new TransportError('ERR_KEY_UPDATE_FLOOD', 'More KEY_UPDATEs than records justify');
    this.#updatesGranted -= 1;
    this.#key = this.#key.next(nowMs);
  }

  #grantUpdate(): void {
    this.#recordsTowardsGrant = 0;
    this.#updatesGranted = Math.min(this.#updatesGranted + 1, KEY_UPDATE_BURST);
  }
}

// A = u64be(n) ‖ length
function associatedData(n: number, bodyBytes: number): Buffer {
  const ad = Buffer.allocUnsafe(AD_BYTES);
  ad.writeUInt16BE(0, 0);
  ad.writeUIntBE(n, 2, 6);
  ad.writeUInt16BE(bodyBytes, 8);
  return ad;
}

function exhausted(): TransportError {
  return new TransportError('ERR_KEY_EXHAUSTED', 'A key was used beyond its limits');
}
