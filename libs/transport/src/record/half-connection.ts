// One direction of an open connection (docs/protocol.md §5, §7): its key, its counter, and what the key has carried.
import { OpeningKey, sealedBytes, SealingKey, wipe } from '@sealwire/crypto';

import { TransportError } from '../errors.js';
import { expandKey, openFailed, rekey } from './cipher-function.js';
import { mayEndOldKey } from './content.js';
import { IvSequence } from './iv-sequence.js';
import { LENGTH_BYTES } from './record.js';
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

/** n never reaches this: the connection ends before a counter could come again. */
export const MAX_RECORDS = 2 ** 48;
/** An update takes no allowance if it is read so long after the one before. */
const FREE_UPDATE_MS = 30 * 60_000;
/** A sender counts on that only after longer: an update that is late on its way shortens what the receiver measures. */
const SURELY_FREE_UPDATE_MS = 35 * 60_000;

/** What a plaintext needs behind it to be padded where it is. */
export const PADDING_ROOM_BYTES = 16;

const TWO_TO_32 = 0x1_0000_0000;

// A = u64be(n) ‖ length. One for the process: it is used up before it is written again.
const ad = Buffer.alloc(8 + LENGTH_BYTES);

/** What a key is expanded to when there is work. */
interface Expanded<Cipher> {
  readonly cipher: Cipher;
  readonly ivs: IvSequence;
}

/** A traffic key, what is derived from it, and what has gone through it. Only the two halves below use it. */
class TrafficKey<Cipher extends { wipe(): void }> {
  readonly #key: Buffer;
  readonly #createCipher: (macAndEnc: Buffer) => Cipher;
  readonly #bornMs: number;
  #expanded: Expanded<Cipher> | undefined;
  #n: number;
  #bytes = 0;
  #records = 0;

  /** @param key - Kept, and overwritten at its end. */
  constructor(key: Buffer, createCipher: (macAndEnc: Buffer) => Cipher, n: number, nowMs: number) {
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

  get expanded(): Expanded<Cipher> {
    this.#expanded ??= this.#expand();
    return this.#expanded;
  }

  /** Most of the memory of a connection that says nothing: the next record makes it again. */
  rest(): void {
    this.#expanded?.cipher.wipe();
    this.#expanded?.ivs.wipe();
    this.#expanded = undefined;
  }

  /** The end of the key: no counter is left for another record. */
  wipe(): void {
    this.rest();
    wipe(this.#key);
    this.#n = MAX_RECORDS;
  }

  /** A record has gone through: n goes on. */
  count(bytes: number): void {
    this.#expanded?.ivs.advance();
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

  next(nowMs: number): TrafficKey<Cipher> {
    const next = new TrafficKey(rekey(this.#key), this.#createCipher, this.#n, nowMs);
    this.wipe();
    return next;
  }

  #expand(): Expanded<Cipher> {
    const { macAndEnc, ivKey } = expandKey(this.#key);
    const expanded = { cipher: this.#createCipher(macAndEnc), ivs: new IvSequence(ivKey, this.#n) };
    wipe(macAndEnc, ivKey);
    return expanded;
  }
}

/** Seals the records of one direction, in order. */
export class SealingHalf {
  readonly #limits: KeyLimits;
  readonly #allowance = new UpdateAllowance(SURELY_FREE_UPDATE_MS);
  #key: TrafficKey<SealingKey>;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(copyOf(key), (macAndEnc) => new SealingKey(macAndEnc), n, nowMs);
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
   * Whether keys have been replaced by their age so often that the connection is to be replaced as well. Half of what the
   * peer grants is left then, for as long as that takes.
   */
  get isShortOfUpdates(): boolean {
    return this.#allowance.left <= KEY_UPDATE_BURST / 2;
  }

  /** As {@link sealInto}, in a buffer of its own, and leaves `inner` as it is. */
  seal(inner: Buffer): Buffer {
    const record = Buffer.allocUnsafe(recordBytes(inner.length));
    this.sealInto(record, 0, Buffer.concat([inner], inner.length + PADDING_ROOM_BYTES), inner.length);
    return record;
  }

  /**
   * Writes the whole record, length ‖ E ‖ T, to `target`, which must hold {@link recordBytes} from `offset` on.
   *
   * @param inner - Its first `bytes` bytes are sealed. It must have {@link PADDING_ROOM_BYTES} more, and is overwritten.
   * @throws {TransportError} `ERR_KEY_EXHAUSTED` - no counter is left.
   */
  sealInto(target: Buffer, offset: number, inner: Buffer, bytes: number): void {
    const { n } = this.#key;
    if (n >= MAX_RECORDS) throw exhausted();
    const bodyBytes = sealedBytes(bytes);
    target.writeUInt16BE(bodyBytes, offset);
    writeAssociatedData(n, bodyBytes);
    const { cipher, ivs } = this.#key.expanded;
    cipher.sealInto(target, offset + LENGTH_BYTES, ivs.current, ad, inner, bytes);
    this.#allowance.countRecord(n);
    this.#key.count(bodyBytes);
  }

  /** To be called when KEY_UPDATE has been sealed: it is the last record under the old key. n goes on. */
  updateKey(nowMs: number): void {
    this.#allowance.take(this.#key.ageMs(nowMs));
    this.#key = this.#key.next(nowMs);
  }

  /** Drops what the next record can make again from the key. */
  rest(): void {
    this.#key.rest();
  }

  /** Overwrites the key: the connection has ended, and nothing can be sealed any more. */
  wipe(): void {
    this.#key.wipe();
  }
}

/** Opens the records of one direction, in order. What it throws ends the connection. */
export class OpeningHalf {
  readonly #limits: KeyLimits;
  readonly #allowance = new UpdateAllowance(FREE_UPDATE_MS);
  #key: TrafficKey<OpeningKey>;

  /** @param key - 32 bytes. Copied: the caller may overwrite them afterwards. */
  constructor(key: Buffer, limits: KeyLimits, nowMs: number, n = 0) {
    this.#key = new TrafficKey(copyOf(key), (macAndEnc) => new OpeningKey(macAndEnc), n, nowMs);
    this.#limits = limits;
  }

  /**
   * Opens the next record; n moves only when it was genuine.
   *
   * @throws {TransportError} `ERR_OPEN_FAILED`, or `ERR_KEY_EXHAUSTED` when the peer should have updated its key.
   */
  open(body: Buffer, nowMs: number): Buffer {
    const { hardBytes, hardRecords, hardAgeMs } = this.#limits;
    const { n } = this.#key;
    if (n >= MAX_RECORDS || this.#key.exceeds(hardBytes, hardRecords)) throw exhausted();
    writeAssociatedData(n, body.length);
    const inner = this.#open(body);
    // A side that was suspended has an old key, and its first record is to replace it.
    if (this.#key.ageMs(nowMs) >= hardAgeMs && !mayEndOldKey(inner)) throw exhausted();
    this.#allowance.countRecord(n);
    this.#key.count(body.length);
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
  rest(): void {
    this.#key.rest();
  }

  /** Overwrites the key: the connection has ended, and nothing can be opened any more. */
  wipe(): void {
    this.#key.wipe();
  }

  #open(body: Buffer): Buffer {
    const { cipher, ivs } = this.#key.expanded;
    try {
      return cipher.open(ivs.current, ad, body);
    } catch (cause) {
      throw openFailed(cause);
    }
  }
}

/** How long the record of so many bytes of content is. */
export function recordBytes(innerBytes: number): number {
  return LENGTH_BYTES + sealedBytes(innerBytes);
}

/** Not `Buffer.from`, whose copies lie in the pool that all small Buffers of the process share. */
function copyOf(key: Buffer): Buffer {
  const copy = Buffer.alloc(key.length);
  copy.set(key);
  return copy;
}

function writeAssociatedData(n: number, bodyBytes: number): void {
  ad.writeUInt16BE(Math.floor(n / TWO_TO_32), 2);
  ad.writeUInt32BE(n % TWO_TO_32, 4);
  ad.writeUInt16BE(bodyBytes, 8);
}

function exhausted(): TransportError {
  return new TransportError('ERR_KEY_EXHAUSTED', 'A key was used beyond its limits');
}
