import { backOffMs, EarlyLosses } from './back-off.js';
import type { Pauses } from './back-off.js';

/** The results of the last dials of one address, which determine the pause before the next one. */
export class DialHistory {
  #failures = 0;
  #lastError: unknown;
  #serverId: string | undefined;
  readonly #earlyLosses = new EarlyLosses();

  /** Failed dials since the last successful one. */
  get failures(): number {
    return this.#failures;
  }

  /** The error of the last dial; undefined if it succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** The instance id of the server that answered last. */
  get serverId(): string | undefined {
    return this.#serverId;
  }

  /** Whether the server was connected before, or a dial has failed. */
  get isReturning(): boolean {
    return this.#failures > 0 || this.#serverId !== undefined;
  }

  noteOpened(isRenewal: boolean): void {
    this.#failures = 0;
    this.#lastError = undefined;
    if (!isRenewal) this.#earlyLosses.noteOpened();
  }

  /** @returns The instance id of the server that answered before, if it was another one. */
  noteInstance(serverId: string | undefined): string | undefined {
    const before = this.#serverId;
    this.#serverId = serverId;
    return before === serverId ? undefined : before;
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
