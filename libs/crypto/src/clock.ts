// Every timer and clock of the libraries, taken from Node when this one is loaded. A test runner that replaces the
// global timers of an application, and drops the timers scheduled with them, therefore does not stop a connection.
import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';

/** A longer delay of a timer of Node counts as 1. */
export const MAX_TIMER_MS = 0x7fff_ffff;

export interface Clock {
  /** Milliseconds since an arbitrary start; monotonic. */
  nowMs: () => number;
  /** Milliseconds since 1970. */
  unixMs: () => number;
  setTimeout: (run: () => void, delayMs: number) => NodeJS.Timeout;
  clearTimeout: (timer: NodeJS.Timeout | undefined) => void;
  /** Runs after the I/O that is already pending. */
  setImmediate: (run: () => void) => void;
}

/**
 * Returns the real timer. Fake timers may be installed already, in `node:timers` too. Those of Sinon, Jest and Vitest,
 * which share one implementation, keep the functions that they replace.
 */
function real<Timer>(name: string, timer: Timer): Timer {
  const { clock: fake } = timer as { readonly clock?: Record<string, Timer> };
  return fake?.[`_${name}`] ?? timer;
}

/** Fake timers shadow its `now` on the instance, but not on the prototype. */
const realPerformance = Object.getPrototypeOf(performance) as typeof performance;

// Only a test has a clock before 1970; the wire cannot express it.
const { now: unixMs } = Date;

/** Only our own tests replace its functions. */
export const clock: Clock = {
  nowMs: realPerformance.now.bind(performance),
  unixMs: () => Math.max(0, unixMs()),
  setTimeout: real('setTimeout', timers.setTimeout),
  clearTimeout: real('clearTimeout', timers.clearTimeout),
  setImmediate: real('setImmediate', timers.setImmediate),
};
