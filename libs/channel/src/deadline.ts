import { clock, MAX_TIMER_MS } from './clock.js';

/** A timer that is later than this was delayed by the process: it was busy or suspended. */
const LATE_MS = 20;
const MAX_GRACE_MS = 1_000;

/**
 * The end of a wait for a peer. Before it expires, data that has already arrived is read for one turn of the event
 * loop. If its timer is late because the process stalled or was suspended, the deadline moves once, by its own length
 * but at most one second, because the peer was not slow.
 */
export class Deadline {
  readonly #onExpired: () => void;
  #endMs: number;
  /** How far the deadline may still move. */
  #graceMs: number;
  #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(delayMs: number, expired: () => void) {
    this.#onExpired = expired;
    this.#endMs = clock.nowMs() + delayMs;
    this.#graceMs = graceOf(delayMs);
    this.#timer = this.#wakeIn(delayMs);
  }

  /** Milliseconds until the deadline, at least 1. */
  get leftMs(): number {
    const nowMs = clock.nowMs();
    this.#moveIfLate(nowMs);
    return Math.max(1, Math.ceil(this.#endMs - nowMs));
  }

  /** Whether the process stalled: the deadline has moved, or has passed. */
  get isLate(): boolean {
    this.#moveIfLate(clock.nowMs());
    return this.#graceMs === 0;
  }

  /** Stops the deadline. May be called again. */
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

/** Returns how far a deadline of this length moves when it is late. */
export function graceOf(delayMs: number): number {
  return Math.min(delayMs, MAX_GRACE_MS);
}

export function isLate(endMs: number, nowMs: number): boolean {
  return nowMs - endMs > LATE_MS;
}
