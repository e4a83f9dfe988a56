// One direction of an open connection (docs/protocol.md §5, §7): its key, its counter, and what the key has carried.
import type { Opener, Sealer } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { mayEndOldKey } from './content.js';
import { associatedData, LENGTH_BYTES, SUITE } from './record.js';
import { KEY_UPDATE_BURST, KEY_UPDATE_SPACING_RECORDS, MAX_RECORDS, TrafficKey } from './traffic-key.js';

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
export class SealingHalf extends TrafficKey<Sealer> {
  readonly #limits: KeyLimits;

  /** @param key - As for {@link TrafficKey}. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    super(key, n, nowMs);
    this.#limits = limits;
  }

  protected override get freeUpdateMs(): number {
    return SURELY_FREE_UPDATE_MS;
  }

  /** Whether the key has reached its soft age, and may be replaced: KEY_UPDATE comes before whatever else is sealed. */
  isOld(nowMs: number): boolean {
    const ageMs = this.ageMs(nowMs);
    return ageMs >= this.#limits.softAgeMs && this.allowsUpdate(ageMs);
  }

  /** Whether the key has carried as much as it should, and may be replaced: KEY_UPDATE comes before the next DATA. */
  isSpent(nowMs: number): boolean {
    const { softBytes, softRecords } = this.#limits;
    const hasCarriedAll = this.records >= KEY_UPDATE_SPACING_RECORDS && this.exceeds(softBytes, softRecords);
    return hasCarriedAll && this.allowsUpdate(this.ageMs(nowMs));
  }

  /** How long the key has until it is to be replaced even if nothing is sealed. */
  keyLeftMs(nowMs: number): number {
    return this.#limits.softAgeMs - this.ageMs(nowMs);
  }

  /**
   * Whether keys have been replaced by their age so often that the connection has to be replaced as well. Half of the
   * updates that the peer grants is left for that time.
   */
  get isShortOfUpdates(): boolean {
    return this.updatesLeft <= KEY_UPDATE_BURST / 2;
  }

  /**
   * Writes the whole record, length ‖ body, to `target`, which must hold its `recordBytes` from `offset` on.
   *
   * @param inner - Its first `bytes` bytes are sealed. It must have the padding room of the suite after them, and is
   *   overwritten.
   * @throws {TransportError} `ERR_KEY_EXHAUSTED` - no counter is left.
   */
  sealInto(target: Buffer, offset: number, inner: Buffer, bytes: number): void {
    const { n } = this;
    if (n >= MAX_RECORDS) throw exhausted();
    const bodyBytes = SUITE.sealedBytes(bytes);
    target.writeUInt16BE(bodyBytes, offset);
    this.cipher.sealInto(target, offset + LENGTH_BYTES, associatedData(n, bodyBytes), inner, bytes);
    this.count(bodyBytes);
  }

  protected override createCipher(key: Buffer, n: number): Sealer {
    return SUITE.createSealer(key, n);
  }
}

/** Opens the records of one direction, in order. A failure ends the connection. */
export class OpeningHalf extends TrafficKey<Opener> {
  readonly #limits: KeyLimits;

  /** @param key - As for {@link TrafficKey}. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    super(key, n, nowMs);
    this.#limits = limits;
  }

  protected override get freeUpdateMs(): number {
    return FREE_UPDATE_MS;
  }

  /**
   * Opens the next record; n moves only when it was genuine.
   *
   * @throws {TransportError} `ERR_BAD_MAC`, or `ERR_KEY_EXHAUSTED` when the peer should have updated its key.
   */
  open(body: Buffer, nowMs: number): Buffer {
    const { hardBytes, hardRecords, hardAgeMs } = this.#limits;
    const { n } = this;
    if (n >= MAX_RECORDS || this.exceeds(hardBytes, hardRecords)) throw exhausted();
    const inner = this.#open(n, body);
    this.count(body.length);
    // A side that was suspended has an old key, and its first record is to replace it.
    if (this.ageMs(nowMs) >= hardAgeMs && !mayEndOldKey(inner)) throw exhausted();
    return inner;
  }

  /**
   * The peer's KEY_UPDATE has been opened: the next record is under the next key.
   *
   * @throws {TransportError} `ERR_KEY_UPDATE_FLOOD` - key derivation is work that a peer must not order at will.
   */
  override updateKey(nowMs: number): void {
    if (!this.allowsUpdate(this.ageMs(nowMs)))
      throw new TransportError('ERR_KEY_UPDATE_FLOOD', 'More KEY_UPDATEs than records and time justify');
    super.updateKey(nowMs);
  }

  protected override createCipher(key: Buffer, n: number): Opener {
    return SUITE.createOpener(key, n);
  }

  #open(n: number, body: Buffer): Buffer {
    try {
      return this.cipher.open(associatedData(n, body.length), body);
    } catch (cause) {
      throw new TransportError(
        'ERR_BAD_MAC',
        'A record failed authentication: tampered, repeated, reordered, or sealed under another key',
        { cause },
      );
    }
  }
}

function exhausted(): TransportError {
  return new TransportError('ERR_KEY_EXHAUSTED', 'A key was used beyond its limits');
}
