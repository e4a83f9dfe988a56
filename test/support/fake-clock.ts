import { onTestFinished } from 'vitest';

import { clock } from '../../libs/channel/src/clock.js';
import { WakeQueue, wakes } from '../../libs/channel/src/wake-queue.js';

interface FakeTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/** In the place of the library's clock until the test has finished: its time goes on only where the test says so. */
export class FakeClock {
  #nowMs = 1_000;
  readonly #timers = new Set<FakeTimer>();
  /** Set while timers run: the turn that they ask for comes before `advance` returns. */
  #turn: (() => void)[] | undefined;

  static install(): FakeClock {
    const real = { ...clock };
    const { queue } = wakes;
    wakes.queue = new WakeQueue();
    const fake = new FakeClock();
    const setTimeout = (run: () => void, delayMs: number): NodeJS.Timeout => fake.#setTimeout(run, delayMs);
    Object.assign(clock, {
      nowMs: () => fake.#nowMs,
      unixMs: () => fake.#nowMs,
      setTimeout,
      clearTimeout: (timer: unknown) => void fake.#timers.delete(timer as FakeTimer),
      setImmediate: (run: () => void) => (fake.#turn === undefined ? real.setImmediate(run) : fake.#turn.push(run)),
    });
    onTestFinished(() => {
      Object.assign(clock, real);
      wakes.queue = queue;
    });
    return fake;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Runs every timer at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      this.#runWithTurn(timer);
    }
    this.#nowMs = endMs;
  }

  /** As {@link advance}, with a real turn of the event loop after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await realTurn();
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      this.#runWithTurn(timer);
      await realTurn();
    }
    this.#nowMs = endMs;
  }

  /** The process did not run for so long: every timer that was due meanwhile is late. The turn that it asks for is a real one. */
  stall(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.#nowMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.run();
  }

  #setTimeout(run: () => void, delayMs: number): NodeJS.Timeout {
    const timer = { atMs: this.#nowMs + delayMs, run, unref: () => timer };
    this.#timers.add(timer);
    return timer as unknown as NodeJS.Timeout;
  }

  #next(endMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) if (timer.atMs <= endMs && timer.atMs < (next?.atMs ?? Infinity)) next = timer;
    return next;
  }

  #runWithTurn(timer: FakeTimer): void {
    this.#timers.delete(timer);
    const turn: (() => void)[] = [];
    this.#turn = turn;
    try {
      timer.run();
      for (const run of turn) run();
    } finally {
      this.#turn = undefined;
    }
  }
}

function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
