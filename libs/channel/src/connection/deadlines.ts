import { clock } from '../clock.js';
import { graceOf, isLate } from '../deadline.js';
import { wakes } from '../wake-queue.js';
import type { Sleeper } from '../wake-queue.js';

export interface DeadlineOwner<Name> {
  /** All names, the permanent ones first, because an idle connection keeps memory up to the last deadline that is set. */
  readonly deadlineNames: readonly Name[];
  /** Called when the deadline of this name has passed. */
  expire(name: Name): void;
}

/**
 * The named deadlines of one connection. Every chunk and record sets deadlines, so setting one only changes a number. The
 * connection wakes at the earliest deadline that was set, then checks all of them.
 *
 * As with a {@link Deadline}, data that has already arrived is read before a deadline expires, and a late deadline moves
 * once.
 */
export class Deadlines<Name extends string> implements Sleeper {
  place = -1;
  readonly #owner: DeadlineOwner<Name>;
  /** Kept, because a test may replace the queue of the process, and {@link place} belongs to this queue. */
  readonly #queue = wakes.queue;
  /** For each name two numbers, to save objects: its time, and how far it may still move because it is late. */
  #times: number[] = [];
  /** Whether due deadlines expire at the end of this turn, after which the connection sleeps again. */
  #isAwake = false;

  constructor(owner: DeadlineOwner<Name>) {
    this.#owner = owner;
  }

  /** @param graceMs - 0 if the deadline does not wait for the peer. */
  set(name: Name, delayMs: number, graceMs = graceOf(delayMs)): void {
    const atMs = clock.nowMs() + delayMs;
    const at = this.#find(name);
    while (this.#times.length <= at) this.#times.push(Infinity, 0);
    this.#times[at] = atMs;
    this.#times[at + 1] = graceMs;
    if (!this.#isAwake && atMs < this.#queue.wakeMsOf(this)) this.#queue.set(this, atMs);
  }

  /** Sets the deadline unless it is set already, so that progress does not move it. */
  setOnce(name: Name, delayMs: number, graceMs?: number): void {
    if (this.#timeAt(this.#find(name)) === Infinity) this.set(name, delayMs, graceMs);
  }

  clear(name: Name): void {
    const at = this.#find(name);
    if (at < this.#times.length) this.#times[at] = Infinity;
  }

  /** @param kept - The only deadline that stays set. */
  clearAll(kept?: Name): void {
    const keptAt = kept === undefined ? -1 : this.#find(kept);
    for (let at = 0; at < this.#times.length; at += 2) if (at !== keptAt) this.#times[at] = Infinity;
    if (this.#next < Infinity) return;
    this.#queue.delete(this);
    this.#isAwake = false;
  }

  /** Frees the memory after the last deadline that is set. */
  hibernate(): void {
    let end = this.#times.length;
    while (end > 0 && this.#timeAt(end - 2) === Infinity) end -= 2;
    this.#times = this.#times.slice(0, end);
  }

  /** Called by the queue. */
  wake(nowMs: number): void {
    let isDue = false;
    for (let at = 0; at < this.#times.length; at += 2) {
      const graceMs = this.#times[at + 1] ?? 0;
      if (graceMs > 0 && isLate(this.#timeAt(at), nowMs)) {
        this.#times[at] = nowMs + graceMs;
        this.#times[at + 1] = 0;
      }
      isDue ||= this.#timeAt(at) <= nowMs;
    }
    this.#isAwake = isDue;
    if (isDue) clock.setImmediate(() => this.#expireDue(nowMs));
    else this.#sleep();
  }

  #expireDue(nowMs: number): void {
    for (let at = 0; at < this.#times.length; at += 2) {
      const name = this.#owner.deadlineNames[at / 2];
      // Data that was read meanwhile, or an earlier deadline, may have cleared or moved it.
      if (name === undefined || this.#timeAt(at) > nowMs) continue;
      this.#times[at] = Infinity;
      this.#owner.expire(name);
    }
    this.#isAwake = false;
    this.#sleep();
  }

  #sleep(): void {
    const nextMs = this.#next;
    if (nextMs < Infinity) this.#queue.set(this, nextMs);
  }

  get #next(): number {
    let next = Infinity;
    for (let at = 0; at < this.#times.length; at += 2) next = Math.min(next, this.#timeAt(at));
    return next;
  }

  #timeAt(at: number): number {
    return at < this.#times.length ? (this.#times[at] ?? Infinity) : Infinity;
  }

  /** Returns the index of the time. A loop, because it runs for every record, and is faster than a Map for so few names. */
  #find(name: Name): number {
    const { deadlineNames } = this.#owner;
    let at = 0;
    while (deadlineNames[at] !== name) at += 1;
    return 2 * at;
  }
}
