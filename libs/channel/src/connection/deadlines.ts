import { AsyncResource } from 'node:async_hooks';

import { clock } from '../clock.js';
import { graceOf, isLate } from '../deadline.js';

// A timer keeps the async context that it is made in, and with it the message whose handler has made a deadline move.
const apart = new AsyncResource('SEALWIRE_DEADLINES');

interface Entry<Name> {
  readonly name: Name;
  atMs: number;
  /** How far it may still move because it is late. */
  graceMs: number;
}

export interface DeadlineOwner<Name> {
  /** The deadline of this name has come. */
  expire(name: Name): void;
}

/**
 * The deadlines of one connection, by name, on one timer. Setting a deadline again, which happens with every chunk and
 * every record, moves a number and no timer: the timer wakes at the earliest deadline it knows of and looks anew.
 *
 * As with a {@link Deadline}, what has arrived already is read before one expires, and one that is late moves once.
 */
export class Deadlines<Name extends string> {
  readonly #owner: DeadlineOwner<Name>;
  /** Few: a search takes no longer than in a Map, and an idle connection holds less. */
  #entries: Entry<Name>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #wakeMs = Infinity;

  constructor(owner: DeadlineOwner<Name>) {
    this.#owner = owner;
  }

  /** @param graceMs - 0 where nobody is waited for. */
  set(name: Name, delayMs: number, graceMs = graceOf(delayMs)): void {
    const atMs = clock.nowMs() + delayMs;
    const entry = this.#find(name);
    if (entry === undefined) this.#entries.push({ name, atMs, graceMs });
    else {
      entry.atMs = atMs;
      entry.graceMs = graceMs;
    }
    if (atMs < this.#wakeMs) this.#wake(atMs);
  }

  /** An absolute deadline: progress does not move it. */
  setOnce(name: Name, delayMs: number, graceMs?: number): void {
    const { atMs = Infinity } = this.#find(name) ?? {};
    if (atMs === Infinity) this.set(name, delayMs, graceMs);
  }

  clear(name: Name): void {
    const entry = this.#find(name);
    if (entry !== undefined) entry.atMs = Infinity;
  }

  /** @param kept - The one that goes on. */
  clearAll(kept?: Name): void {
    for (const entry of this.#entries) if (entry.name !== kept) entry.atMs = Infinity;
    if (this.#entries.some(({ atMs }) => atMs < Infinity)) return;
    clock.clearTimeout(this.#timer);
    this.#wakeMs = Infinity;
  }

  /** Drops what is set for none: what is set again is made again. */
  hibernate(): void {
    this.#entries = this.#entries.filter(({ atMs }) => atMs < Infinity).slice(); // an array that grows has spare room
  }

  #find(name: Name): Entry<Name> | undefined {
    for (const entry of this.#entries) if (entry.name === name) return entry; // it comes with every record
    return undefined;
  }

  #wake(atMs: number): void {
    clock.clearTimeout(this.#timer);
    this.#wakeMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - clock.nowMs()));
    this.#timer = apart.runInAsyncScope(() => clock.setTimeout(() => this.#look(), delayMs));
  }

  #look(): void {
    const nowMs = clock.nowMs();
    let isDue = false;
    for (const entry of this.#entries) {
      if (entry.graceMs > 0 && isLate(entry.atMs, nowMs)) {
        entry.atMs = nowMs + entry.graceMs;
        entry.graceMs = 0;
      }
      isDue ||= entry.atMs <= nowMs;
    }
    if (isDue) clock.setImmediate(() => this.#expireDue(nowMs));
    else this.#wakeAtNext();
  }

  #expireDue(nowMs: number): void {
    for (const entry of this.#entries) {
      if (entry.atMs > nowMs) continue; // what was read meanwhile, or an earlier one, may have cleared or moved it
      entry.atMs = Infinity;
      this.#owner.expire(entry.name);
    }
    this.#wakeAtNext();
  }

  #wakeAtNext(): void {
    const next = Math.min(...this.#entries.map(({ atMs }) => atMs));
    this.#wakeMs = Infinity;
    if (next < Infinity) this.#wake(next);
  }
}
