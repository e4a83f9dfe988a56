import { AsyncResource } from 'node:async_hooks';

import { clock, MAX_TIMER_MS } from './clock.js';

// A timer keeps the async context in which it is created, and with it the message whose handler moved a deadline.
const apart = new AsyncResource('SEALWIRE_DEADLINES');

export interface Sleeper {
  /** Its index in the queue; -1 at first. Set only by the queue. */
  place: number;
  /** Called at its time. The sleeper is no longer in the queue, and may enter it again. */
  wake(nowMs: number): void;
}

/**
 * One timer for all connections of the process. It is a binary heap, ordered by the time at which a sleeper wakes. Each
 * sleeper is in it at most once, and costs two words.
 */
export class WakeQueue {
  readonly #sleepers: Sleeper[] = [];
  readonly #atMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  /** Returns the time at which the sleeper wakes; Infinity if it is not in the queue. */
  wakeMsOf(sleeper: Sleeper): number {
    return this.#sleepers[sleeper.place] === sleeper ? (this.#atMs[sleeper.place] ?? Infinity) : Infinity;
  }

  /** Adds the sleeper, or moves it. */
  set(sleeper: Sleeper, atMs: number): void {
    this.#remove(sleeper);
    this.#rise(this.#sleepers.length, sleeper, atMs);
    if (atMs < this.#timerAtMs) this.#wakeAt(atMs);
  }

  /** Removes a sleeper. May be called again. */
  delete(sleeper: Sleeper): void {
    this.#remove(sleeper);
    if (this.#sleepers.length > 0) return;
    clock.clearTimeout(this.#timer);
    this.#timerAtMs = Infinity;
  }

  #remove(sleeper: Sleeper): void {
    const { place } = sleeper;
    if (this.#sleepers[place] !== sleeper) return;
    sleeper.place = -1;
    const last = this.#sleepers.pop();
    const lastMs = this.#atMs.pop();
    if (last === undefined || lastMs === undefined || last === sleeper) return;
    this.#rise(this.#sink(place, lastMs), last, lastMs);
  }

  /** Opens a gap at `place`, or further down if earlier sleepers are below it. @returns The index of the gap. */
  #sink(place: number, atMs: number): number {
    let gap = place;
    for (;;) {
      const left = 2 * gap + 1;
      const child = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left;
      const below = this.#sleepers[child];
      if (below === undefined || this.#timeAt(child) >= atMs) return gap;
      this.#put(gap, below, this.#timeAt(child));
      gap = child;
    }
  }

  /** Fills the gap at `place`, or further up if later sleepers are above it. */
  #rise(place: number, sleeper: Sleeper, atMs: number): void {
    let gap = place;
    while (gap > 0) {
      const parent = (gap - 1) >> 1;
      const above = this.#sleepers[parent];
      if (above === undefined || this.#timeAt(parent) <= atMs) break;
      this.#put(gap, above, this.#timeAt(parent));
      gap = parent;
    }
    this.#put(gap, sleeper, atMs);
  }

  #put(place: number, sleeper: Sleeper, atMs: number): void {
    this.#sleepers[place] = sleeper;
    this.#atMs[place] = atMs;
    sleeper.place = place;
  }

  #timeAt(place: number): number {
    return place < this.#atMs.length ? (this.#atMs[place] ?? Infinity) : Infinity;
  }

  #wakeAt(atMs: number): void {
    clock.clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(Math.min(atMs - clock.nowMs(), MAX_TIMER_MS)));
    this.#timer = apart.runInAsyncScope(() => clock.setTimeout(() => this.#look(), delayMs));
  }

  #look(): void {
    const nowMs = clock.nowMs();
    for (let first = this.#sleepers[0]; first !== undefined && this.#timeAt(0) <= nowMs; first = this.#sleepers[0]) {
      this.#remove(first);
      first.wake(nowMs);
    }
    this.#timerAtMs = Infinity;
    if (this.#sleepers.length > 0) this.#wakeAt(this.#timeAt(0));
  }
}

/** The queue of the process. A test that replaces the clock replaces the queue, too. */
export const wakes = { queue: new WakeQueue() };
