// The sender's side of CREDIT (docs/protocol.md §5.10): what is outstanding, and whether bulk may add to it.
import { TransportError } from '../errors.js';
import { CreditPace } from './credit-pace.js';

/** Bulk is not held back below this, and from here on the peer owes CREDIT in time. */
export const FULL_BYTES = 262_144;
/** The least rise from one CREDIT to the next. */
const MIN_RISE_BYTES = 65_536;
/** The most that this side lets be outstanding, however fast and long the path is. */
const MAX_WINDOW_BYTES = 8_388_608;

/** Sums of the `length` fields of DATA records. Times are given: it has no clock. */
export class SendWindow {
  /** Made when bulk waits. */
  #pace: CreditPace | undefined;
  #sealed = 0;
  #credited = 0;
  #fullSinceMs: number | undefined;

  get outstandingBytes(): number {
    return this.#sealed - this.#credited;
  }

  /** Since when the peer owes CREDIT; undefined while less than {@link FULL_BYTES} is outstanding. */
  get fullSinceMs(): number | undefined {
    return this.#fullSinceMs;
  }

  /** Whether bulk has to wait for credit. Everything else goes on. */
  holdsBulk(nowMs: number): boolean {
    const { outstandingBytes } = this;
    if (outstandingBytes < FULL_BYTES) return false;
    return outstandingBytes >= Math.min(this.#pace?.windowBytes(nowMs) ?? 0, MAX_WINDOW_BYTES);
  }

  /** @param bytes - The `length` field of a DATA record, when it is sealed. */
  seal(bytes: number, nowMs: number): void {
    this.#sealed += bytes;
    if (this.outstandingBytes >= FULL_BYTES) this.#fullSinceMs ??= nowMs;
  }

  /** Whether bulk waits, after what was sealed last. While none does, a CREDIT may be late for that reason. */
  noteBulk(waits: boolean, nowMs: number): void {
    if (waits) this.#createdPace.mark(this.#sealed, this.#credited, nowMs);
    else this.#pace?.unmark();
  }

  /** Small messages have passed bulk: as long as they do, little bulk is to be in front of them. */
  notePassed(nowMs: number): void {
    this.#createdPace.notePassed(nowMs);
  }

  /**
   * A CREDIT of the peer.
   *
   * @throws {TransportError} `ERR_CREDIT_FLOOD` or `ERR_CREDIT_UNEARNED` - it reports too little that is new, or more than
   *   was sealed.
   */
  receiveCredit(taken: number, nowMs: number): void {
    const rise = taken - this.#credited;
    if (rise < MIN_RISE_BYTES) {
      throw new TransportError(
        'ERR_CREDIT_FLOOD',
        `A CREDIT ${rise} bytes above the one before it; ${MIN_RISE_BYTES} is the least`,
      );
    }
    if (taken > this.#sealed) {
      throw new TransportError('ERR_CREDIT_UNEARNED', `A CREDIT of ${taken} bytes; ${this.#sealed} were sealed`);
    }
    this.#credited = taken;
    this.#fullSinceMs = this.outstandingBytes >= FULL_BYTES ? nowMs : undefined;
    this.#pace?.receiveCredit(taken, nowMs);
  }

  get #createdPace(): CreditPace {
    return (this.#pace ??= new CreditPace());
  }
}
