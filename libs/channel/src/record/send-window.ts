// The sender's side of CREDIT (docs/protocol.md §5.10): the outstanding bytes, and whether more bulk may be sent.
import { TransportError } from '../errors.js';
import { CreditPace } from './credit-pace.js';

/** With fewer outstanding bytes bulk does not wait; with more, the peer owes CREDIT. */
export const FULL_BYTES = 262_144;
/** The minimum increase from one CREDIT to the next. */
const MIN_RISE_BYTES = 65_536;
/** The maximum outstanding bytes, however fast and long the path is. */
const MAX_WINDOW_BYTES = 8_388_608;

/** Counts the `length` fields of DATA records. It has no clock: callers pass the time. */
export class SendWindow {
  /** Created when bulk waits. */
  #pace: CreditPace | undefined;
  #sealed = 0;
  #credited = 0;
  #fullSinceMs: number | undefined;

  get outstandingBytes(): number {
    return this.#sealed - this.#credited;
  }

  /** The time since which the peer owes CREDIT; undefined while less than {@link FULL_BYTES} is outstanding. */
  get fullSinceMs(): number | undefined {
    return this.#fullSinceMs;
  }

  /** Returns whether bulk must wait for credit. Nothing else waits. */
  holdsBulk(nowMs: number): boolean {
    const { outstandingBytes } = this;
    if (outstandingBytes < FULL_BYTES) return false;
    return outstandingBytes >= Math.min(this.#pace?.windowBytes(nowMs) ?? 0, MAX_WINDOW_BYTES);
  }

  /** Counts a sealed DATA record. @param bytes - Its `length` field. */
  seal(bytes: number, nowMs: number): void {
    this.#sealed += bytes;
    if (this.outstandingBytes >= FULL_BYTES) this.#fullSinceMs ??= nowMs;
  }

  /**
   * Notes whether bulk waits after a record was sealed. Without waiting bulk, CREDIT may be late, so it does not
   * measure the path.
   */
  noteBulk(waits: boolean, nowMs: number): void {
    if (waits) this.#createdPace.mark(this.#sealed, this.#credited, nowMs);
    else this.#pace?.unmark();
  }

  /** Notes that small messages have overtaken bulk: for a while, only little bulk may be in front of them. */
  notePassed(nowMs: number): void {
    this.#createdPace.notePassed(nowMs);
  }

  /**
   * Counts a CREDIT of the peer.
   *
   * @throws {TransportError} `ERR_CREDIT_FLOOD` or `ERR_CREDIT_UNEARNED` - it reports too few new bytes, or more than
   *   were sealed.
   */
  receiveCredit(taken: number, nowMs: number): void {
    const rise = taken - this.#credited;
    if (rise < MIN_RISE_BYTES) {
      throw new TransportError(
        'ERR_CREDIT_FLOOD',
        `The peer sent CREDIT for ${rise} new bytes; expected at least ${MIN_RISE_BYTES}`,
      );
    }
    if (taken > this.#sealed) {
      throw new TransportError(
        'ERR_CREDIT_UNEARNED',
        `The peer sent CREDIT for ${taken} bytes in total; expected at most the ${this.#sealed} that were sealed`,
      );
    }
    this.#credited = taken;
    this.#fullSinceMs = this.outstandingBytes >= FULL_BYTES ? nowMs : undefined;
    this.#pace?.receiveCredit(taken, nowMs);
  }

  get #createdPace(): CreditPace {
    return (this.#pace ??= new CreditPace());
  }
}
