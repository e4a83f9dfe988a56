import { clock } from '../clock.js';
import { graceOf, isLate } from '../deadline.js';
import { wakes } from './wake-queue.js';
import type { Sleeper } from './wake-queue.js';

export interface DeadlineOwner<Name> {
  /** Every name. Those first that are set for as long as the connection lasts: an idle one holds memory up to its last. */
  readonly deadlineNames: readonly Name[];
  /** The deadline of this name has come. */
  expire(name: Name): void;
}

/**
 * The deadlines of one connection, by name. Setting a deadline again, which happens with every chunk and every record,
 * moves a number and no timer: the connection wakes at the earliest deadline that it knew of and looks anew.
 *
 * As with a {@link Deadline}, what has arrived already is read before one expires, and one that is late moves once.
 */
export class Deadlines<Name extends string> implements Sleeper {
  place = -1;
  readonly #owner: DeadlineOwner<Name>;
  /** Its place is one in this queue, whatever takes the place of the queue of the process meanwhile. */
  readonly #queue = wakes.queue;
  /** For each name its time, and behind that how far it may still move because it is late: numbers without objects. */
  #times: number[] = [];
  /** Those that are due expire at the end of this turn, and then it falls asleep again. */
  #isAwake = false;

  constructor(owner: DeadlineOwner<Name>) {
    this.#owner = owner;
  }

  /** @param graceMs - 0 where nobody is waited for. */
  set(name: Name, delayMs: number, graceMs = graceOf(delayMs)): void {
    const atMs = clock.nowMs() + delayMs;
    const at = this.#find(name);
    while (this.#times.length <= at) this.#times.push(Infinity, 0);
    this.#times[at] = atMs;
    this.#times[at + 1] = graceMs;
    if (!this.#isAwake && atMs < this.#queue.wakeMsOf(this)) this.#queue.set(this, atMs);
  }

  /** An absolute deadline: progress does not move it. */
  setOnce(name: Name, delayMs: number, graceMs?: number): void {
    if (this.#timeAt(this.#find(name)) === Infinity) this.set(name, delayMs, graceMs);
  }

  clear(name: Name): void {
    const at = this.#find(name);
    if (at < this.#times.length) this.#times[at] = Infinity;
  }

  /** @param kept - The one that goes on. */
  clearAll(kept?: Name): void {
    const keptAt = kept === undefined ? -1 : this.#find(kept);
    for (let at = 0; at < this.#times.length; at += 2) if (at !== keptAt) this.#times[at] = Infinity;
    if (this.#next < Infinity) return;
    this.#queue.delete(this);
    this.#isAwake = false;
  }

  /** Gives up the memory behind the last one that is set. */
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
      // Data that was read meanwhile, or an earlier one, may have cleared or moved it.
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

  /** Where its time is. It comes with every record: among so few a loop is faster than a Map. */
  #find(name: Name): number {
    const { deadlineNames } = this.#owner;
    let at = 0;
    while (deadlineNames[at] !== name) at += 1;
    return 2 * at;
  }
}
