import { clock, MAX_TIMER_MS } from '../clock.js';
import { CryptoError } from '../errors.js';

const POLL_MS = 30_000;
/** From a change in the directory to the read. A writer has usually finished then, and a busy directory costs little. */
const SETTLE_MS = 100;

/** The timers of a watched key file. They do not keep the process alive. */
export class ReloadTimers {
  readonly #pollMs: number;
  readonly #onReload: () => void;
  #poll: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #boundary: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param onReload - Called when the file is to be read. */
  constructor(onReload: () => void, pollMs = POLL_MS) {
    this.#onReload = onReload;
    this.#pollMs = pollMs;
  }

  /** Reads the file again and again. */
  poll(): void {
    if (this.#isClosed) return;
    const reload = (): void => {
      this.#onReload();
      this.poll();
    };
    this.#poll = clock.setTimeout(reload, this.#pollMs).unref();
  }

  /** Reads the file after a change in its directory. */
  reloadSoon(): void {
    if (this.#settle !== undefined || this.#isClosed) return;
    const reload = (): void => {
      this.#settle = undefined; // before the read: a later change is read once more
      this.#onReload();
    };
    this.#settle = clock.setTimeout(reload, SETTLE_MS).unref();
  }

  /** Calls `announce` when the time window of a key begins or ends, in place of an earlier call. */
  announceAt(boundaryMs: number | undefined, nowMs: number, announce: () => void): void {
    clock.clearTimeout(this.#boundary);
    if (boundaryMs === undefined || this.#isClosed) return;
    this.#boundary = clock.setTimeout(announce, Math.min(boundaryMs - nowMs, MAX_TIMER_MS)).unref();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of [this.#poll, this.#settle, this.#boundary]) clock.clearTimeout(timer);
  }
}

/** @throws {CryptoError} `ERR_KEY_FILE_POLL` */
export function checkPoll(pollMs = POLL_MS): void {
  if (Number.isInteger(pollMs) && pollMs >= 1 && pollMs <= MAX_TIMER_MS) return;
  const message = `pollMs is ${pollMs}; it must be a whole number of milliseconds from 1 to ${MAX_TIMER_MS}`;
  throw new CryptoError('ERR_KEY_FILE_POLL', message);
}
