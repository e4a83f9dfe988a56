import { clock } from '../clock.js';

/** The units of a token. A call earns one unit, so that one call in five may be tried again. */
const TOKEN = 5;
const FLOOR_PER_SECOND = 10;
const TOKENS_AT_START = 100;
const MAX_TOKENS = 1_000;

/**
 * A bucket of tokens for attempts that a server has seen, so that retries do not overload servers that fail: a token for
 * every five calls, and ten for every second. It has 100 at the start and at most 1,000.
 */
export class RetryBudget {
  #units = TOKENS_AT_START * TOKEN;
  #filledAtMs = clock.nowMs();

  /** Notes a new call. */
  noteCall(): void {
    if (this.#units < MAX_TOKENS * TOKEN) this.#units += 1;
  }

  /** Takes a token. Returns false if there is none, and the call fails. */
  take(): boolean {
    const nowMs = clock.nowMs();
    const earned = ((nowMs - this.#filledAtMs) / 1_000) * FLOOR_PER_SECOND * TOKEN;
    this.#units = Math.min(MAX_TOKENS * TOKEN, this.#units + earned);
    this.#filledAtMs = nowMs;
    if (this.#units < TOKEN) return false;
    this.#units -= TOKEN;
    return true;
  }
}
