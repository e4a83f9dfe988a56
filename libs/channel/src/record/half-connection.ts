// One direction of an open connection (docs/protocol.md §5, §7): its key, its counter, and the limits of the key.
import type { Opener, Sealer } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { mayEndOldKey } from './content.js';
import { associatedData, LENGTH_BYTES, SUITE } from './record.js';
import { KEY_UPDATE_BURST, KEY_UPDATE_SPACING_RECORDS, MAX_RECORDS, TrafficKey } from './traffic-key.js';

/** An update that arrives this long after the previous one is free. */
const FREE_UPDATE_MS = 30 * 60_000;
/** A sender waits longer, because a delayed update shortens the time that the receiver measures to the next one. */
const SURELY_FREE_UPDATE_MS = 35 * 60_000;

/** Seals the records of one direction, in order. */
export class SealingHalf extends TrafficKey<Sealer> {
  protected override get freeUpdateMs(): number {
    return SURELY_FREE_UPDATE_MS;
  }

  /** Returns whether the key has reached its soft age and may be replaced: KEY_UPDATE is then the next record. */
  isOld(nowMs: number): boolean {
    const ageMs = this.ageMs(nowMs);
    return ageMs >= this.limits.softAgeMs && this.allowsUpdate(ageMs);
  }

  /** Returns whether the key has sealed enough and may be replaced: KEY_UPDATE then precedes the next DATA or GOAWAY. */
  isSpent(nowMs: number): boolean {
    const { softBytes, softRecords } = this.limits;
    const hasCarriedAll = this.records >= KEY_UPDATE_SPACING_RECORDS && this.exceeds(softBytes, softRecords);
    return hasCarriedAll && this.allowsUpdate(this.ageMs(nowMs));
  }

  /** Returns the time until the key must be replaced even if nothing is sealed. */
  keyLeftMs(nowMs: number): number {
    return this.limits.softAgeMs - this.ageMs(nowMs);
  }

  /**
   * Whether keys were replaced by age so often that the connection must be replaced. Half of the updates that the peer
   * allows remain for that.
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
  protected override get freeUpdateMs(): number {
    return FREE_UPDATE_MS;
  }

  /**
   * Opens the next record. Only a genuine record increments n.
   *
   * @throws {TransportError} `ERR_BAD_MAC`; `ERR_KEY_EXHAUSTED` if the peer did not update its key in time.
   */
  open(body: Buffer, nowMs: number): Buffer {
    const { hardBytes, hardRecords, hardAgeMs } = this.limits;
    const { n } = this;
    if (n >= MAX_RECORDS || this.exceeds(hardBytes, hardRecords)) throw exhausted();
    const inner = this.#open(n, body);
    this.count(body.length);
    // A side that was suspended has an old key, which its first record must replace.
    if (this.ageMs(nowMs) >= hardAgeMs && !mayEndOldKey(inner)) throw exhausted();
    return inner;
  }

  /**
   * Replaces the key after the KEY_UPDATE of the peer was opened. The next record uses the next key.
   *
   * @throws {TransportError} `ERR_KEY_UPDATE_FLOOD` - a peer must not be able to cause unlimited key derivations.
   */
  override updateKey(nowMs: number): void {
    if (!this.allowsUpdate(this.ageMs(nowMs)))
      throw new TransportError(
        'ERR_KEY_UPDATE_FLOOD',
        'The peer updated its key too often: expected more records or more time between two updates',
      );
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
        'A record failed authentication: it was altered, repeated, reordered, or sealed under another key',
        { cause },
      );
    }
  }
}

function exhausted(): TransportError {
  return new TransportError(
    'ERR_KEY_EXHAUSTED',
    'A key has reached its hard limit: the peer did not update the key in time',
  );
}
