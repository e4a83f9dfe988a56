import { backOffMs, EarlyLosses } from './back-off.js';
import type { Pauses } from './back-off.js';

/** The results of the last dials of one server, which determine the pause before the next one. */
export class DialHistory {
  #failures = 0;
  #lastError: unknown;
  readonly #earlyLosses = new EarlyLosses();

  /** Failed dials since the last successful one. */
  get failures(): number {
    return this.#failures;
  }

  /** The error of the last dial; undefined if it succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  noteOpened(isRenewal: boolean): void {
    this.#failures = 0;
    this.#lastError = undefined;
    if (!isRenewal) this.#earlyLosses.noteOpened();
  }

  noteFailed(error: unknown): void {
    this.#failures += 1;
    this.#lastError = error;
  }

  noteLost(): void {
    this.#earlyLosses.noteLost();
  }

  /** Forgets failures because the client closes. */
  reset(): void {
    this.#failures = 0;
    this.#earlyLosses.reset();
  }

  pauseMs(pauses: Pauses): number {
    return backOffMs(this.#failures + this.#earlyLosses.failures, pauses);
  }
}
