// The time of this library: every timer and every clock, taken from Node when the library is loaded. A test runner that
// replaces the global timers of an application, and drops what was scheduled with them, stops no connection.
import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';

export interface Clock {
  /** Monotonic, from an arbitrary start. */
  nowMs: () => number;
  /** Since 1970. */
  unixMs: () => number;
  setTimeout: (run: () => void, delayMs: number) => NodeJS.Timeout;
  clearTimeout: (timer: NodeJS.Timeout | undefined) => void;
  /** After the I/O that is already there. */
  setImmediate: (run: () => void) => void;
}

/**
 * Fake timers may be on already, in `node:timers` as well: those of Sinon, Jest and Vitest, which are the same, keep what
 * they have replaced.
 */
function real<Timer>(name: string, timer: Timer): Timer {
  const { clock: fake } = timer as { readonly clock?: Record<string, Timer> };
  return fake?.[`_${name}`] ?? timer;
}

/** Fake timers cover it with a `now` of their own. */
const realPerformance = Object.getPrototypeOf(performance) as typeof performance;

// A clock before 1970 is that of a test; the wire has no room for it.
const { now: unixMs } = Date;

/** Its functions are replaced by our own tests, and by nothing else. */
export const clock: Clock = {
  nowMs: realPerformance.now.bind(performance),
  unixMs: () => Math.max(0, unixMs()),
  setTimeout: real('setTimeout', timers.setTimeout),
  clearTimeout: real('clearTimeout', timers.clearTimeout),
  setImmediate: real('setImmediate', timers.setImmediate),
};
