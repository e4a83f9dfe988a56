/** What was sealed at some moment, to be found again in a CREDIT. */
interface Mark {
  readonly sealed: number;
  readonly credited: number;
  readonly atMs: number;
}

/** A path carries no more at once than its rate times its least delay. Twice that lets the measured rate grow. */
const GROWTH = 2;
/** While small messages pass bulk, the queue in front of them is to stay short. */
const GROWTH_WHEN_PASSED = 1.25;
/** On a path that is faster than the turns of the event loops at its ends, these are its delay. */
const MIN_DELAY_MS = 5;
const MIN_DELAY_WHEN_PASSED_MS = 1;
/** For so long after the last small message that has passed bulk the next one is expected. */
const PASSED_MS = 100;
/** Of the rate, so much stays with each measurement that finds less. */
const RATE_DECAY = 0.75;
/** After so long the delay is measured anew, from a small window on: a path may have become longer. */
const REMEASURE_MS = 60_000;
/** The first measurement begins with no more outstanding: the delay is that of the path, and not of a queue in it. */
const MAX_FIRST_BYTES = 327_680;

/**
 * The rate of a path and its least delay, both measured by CREDIT alone while bulk waits, and the window that follows from
 * them: how much is worth being outstanding. It is this side's own policy (docs/protocol.md §5.10).
 */
export class CreditPace {
  #mark: Mark | undefined;
  #bytesPerMs = 0;
  #leastDelayMs = Infinity;
  #measuredSinceMs: number | undefined;
  #passedMs = -Infinity;

  /** How much may be outstanding; 0 while nothing is known. */
  windowBytes(nowMs: number): number {
    if (this.#bytesPerMs === 0) return 0;
    return nowMs - this.#passedMs < PASSED_MS
      ? this.#bytesPerMs * Math.max(this.#leastDelayMs, MIN_DELAY_WHEN_PASSED_MS) * GROWTH_WHEN_PASSED
      : this.#bytesPerMs * Math.max(this.#leastDelayMs, MIN_DELAY_MS) * GROWTH;
  }

  /** So much was sealed and credited in all, and bulk waits: a measurement begins here if none is under way. */
  mark(sealed: number, credited: number, nowMs: number): void {
    const isKnown = this.#bytesPerMs > 0;
    if (isKnown || sealed - credited <= MAX_FIRST_BYTES) this.#mark ??= { sealed, credited, atMs: nowMs };
  }

  /** Gives up the measurement that is under way: no bulk waits, and CREDIT will be late for that reason. */
  unmark(): void {
    this.#mark = undefined;
  }

  /** A small message has passed bulk. */
  notePassed(nowMs: number): void {
    this.#passedMs = nowMs;
  }

  receiveCredit(credited: number, nowMs: number): void {
    const mark = this.#mark;
    if (mark === undefined || credited < mark.sealed) return;
    this.#mark = undefined;
    this.#measuredSinceMs ??= nowMs;
    if (nowMs - this.#measuredSinceMs >= REMEASURE_MS) {
      this.#bytesPerMs = 0;
      this.#leastDelayMs = Infinity;
      this.#measuredSinceMs = undefined;
      return;
    }
    const delayMs = Math.max(nowMs - mark.atMs, MIN_DELAY_WHEN_PASSED_MS);
    this.#leastDelayMs = Math.min(this.#leastDelayMs, delayMs);
    this.#bytesPerMs = Math.max((credited - mark.credited) / delayMs, this.#bytesPerMs * RATE_DECAY);
  }
}
