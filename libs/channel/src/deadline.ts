import { clock } from './clock.js';
import { MAX_TIMER_MS } from './options/limit.js';

/** A timer that is later than this was kept from running: the process was busy, or did not run at all. */
const LATE_MS = 20;
const MAX_GRACE_MS = 1_000;

/**
 * The end of a wait for a peer. Before it comes, what has arrived already is read, for one turn of the event loop. One
 * that is itself late, as the process stalled or was suspended, moves once, by its own length and by a second at most:
 * the peer was not slow.
 */
export class Deadline {
  readonly #onExpired: () => void;
  #endMs: number;
  /** How far it may still move. */
  #graceMs: number;
  #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(delayMs: number, expired: () => void) {
    this.#onExpired = expired;
    this.#endMs = clock.nowMs() + delayMs;
    this.#graceMs = graceOf(delayMs);
    this.#timer = this.#wakeIn(delayMs);
  }

  /** At least 1. */
  get leftMs(): number {
    const nowMs = clock.nowMs();
    this.#moveIfLate(nowMs);
    return Math.max(1, Math.ceil(this.#endMs - nowMs));
  }

  /** Whether it came, or has moved, as the process stalled. */
  get isLate(): boolean {
    this.#moveIfLate(clock.nowMs());
    return this.#graceMs === 0;
  }

  /** May be called again. */
  clear(): void {
    this.#isOver = true;
    clock.clearTimeout(this.#timer);
  }

  #wakeIn(delayMs: number): NodeJS.Timeout {
    return clock.setTimeout(() => this.#look(), Math.ceil(Math.min(delayMs, MAX_TIMER_MS)));
  }

  #look(): void {
    const nowMs = clock.nowMs();
    this.#moveIfLate(nowMs);
    if (this.#endMs > nowMs) {
      this.#timer = this.#wakeIn(this.#endMs - nowMs);
      return;
    }
    clock.setImmediate(() => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#onExpired();
    });
  }

  #moveIfLate(nowMs: number): void {
    if (this.#graceMs === 0 || !isLate(this.#endMs, nowMs)) return;
    this.#endMs = nowMs + this.#graceMs;
    this.#graceMs = 0;
  }
}

/** How far a deadline of this length moves when it is late. */
export function graceOf(delayMs: number): number {
  return Math.min(delayMs, MAX_GRACE_MS);
}

export function isLate(endMs: number, nowMs: number): boolean {
  return nowMs - endMs > LATE_MS;
}
