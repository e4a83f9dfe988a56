/** The state at the start of a measurement, which ends with the CREDIT for these bytes. */
interface Mark {
  readonly sealed: number;
  readonly credited: number;
  readonly atMs: number;
}

/** A path holds at most its rate times its minimum delay. Twice that lets the measured rate grow. */
const GROWTH = 2;
/** While small messages overtake bulk, the queue in front of them must stay short. */
const GROWTH_WHEN_PASSED = 1.25;
/** On a fast path, the turns of the two event loops determine the delay. */
const MIN_DELAY_MS = 5;
const MIN_DELAY_WHEN_PASSED_MS = 1;
/** The time after a small message has overtaken bulk in which another one is expected. */
const PASSED_MS = 100;
/** The fraction of the rate that a lower measurement keeps. */
const RATE_DECAY = 0.75;
/**
 * The delay is measured again after this time, starting with a small window, because the path may have become longer.
 */
const REMEASURE_MS = 60_000;
/** The maximum outstanding bytes at the first measurement: with more, it would measure a queue and not the path. */
const MAX_FIRST_BYTES = 327_680;

/**
 * Measures the rate and the minimum delay of a path by CREDIT while bulk waits, and derives the useful number of
 * outstanding bytes. This is a policy of the sender (docs/protocol.md §5.10).
 */
export class CreditPace {
  #mark: Mark | undefined;
  #bytesPerMs = 0;
  #leastDelayMs = Infinity;
  #measuredSinceMs: number | undefined;
  #passedMs = -Infinity;

  /** Returns the useful number of outstanding bytes; 0 before the first measurement. */
  windowBytes(nowMs: number): number {
    if (this.#bytesPerMs === 0) return 0;
    return nowMs - this.#passedMs < PASSED_MS
      ? this.#bytesPerMs * Math.max(this.#leastDelayMs, MIN_DELAY_WHEN_PASSED_MS) * GROWTH_WHEN_PASSED
      : this.#bytesPerMs * Math.max(this.#leastDelayMs, MIN_DELAY_MS) * GROWTH;
  }

  /**
   * Starts a measurement unless one is running. Called while bulk waits, with the totals of sealed and credited bytes.
   */
  mark(sealed: number, credited: number, nowMs: number): void {
    const isKnown = this.#bytesPerMs > 0;
    if (isKnown || sealed - credited <= MAX_FIRST_BYTES) this.#mark ??= { sealed, credited, atMs: nowMs };
  }

  /** Aborts the measurement: no bulk waits, so CREDIT may be late for that reason. */
  unmark(): void {
    this.#mark = undefined;
  }

  /** Notes that a small message has overtaken bulk. */
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
