import { clock } from '../clock.js';

/**
 * The deadlines of one connection, by name, on one timer. Setting a deadline again, which happens with every chunk and
 * every record, moves a number and no timer: the timer wakes at the earliest deadline it knows of and looks anew.
 */
export class Deadlines<Name extends string> {
  readonly #onExpired: (name: Name) => void;
  readonly #at = new Map<Name, number>();
  #timer: NodeJS.Timeout | undefined;
  #wakeMs = Infinity;

  constructor(onExpired: (name: Name) => void) {
    this.#onExpired = onExpired;
  }

  set(name: Name, delayMs: number): void {
    const atMs = clock.nowMs() + delayMs;
    this.#at.set(name, atMs);
    if (atMs < this.#wakeMs) this.#wake(atMs);
  }

  /** An absolute deadline: progress does not move it. */
  setOnce(name: Name, delayMs: number): void {
    if (!this.#at.has(name)) this.set(name, delayMs);
  }

  clear(name: Name): void {
    this.#at.delete(name);
  }

  clearAll(): void {
    this.#at.clear();
    clock.clearTimeout(this.#timer);
    this.#wakeMs = Infinity;
  }

  #wake(atMs: number): void {
    clock.clearTimeout(this.#timer);
    this.#wakeMs = atMs;
    this.#timer = clock.setTimeout(() => this.#look(), Math.max(0, Math.ceil(atMs - clock.nowMs())));
  }

  #look(): void {
    this.#wakeMs = Infinity;
    const nowMs = clock.nowMs();
    for (const [name, atMs] of this.#at) {
      // An earlier one may have cleared or moved this one.
      if (atMs > nowMs || this.#at.get(name) !== atMs) continue;
      this.#at.delete(name);
      this.#onExpired(name);
    }
    const next = Math.min(...this.#at.values());
    if (next < this.#wakeMs) this.#wake(next);
  }
}
