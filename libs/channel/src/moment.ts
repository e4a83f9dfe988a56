import { clock } from './clock.js';

/**
 * A moment on both clocks: the monotonic one stops while the system sleeps, and the one of the day may be set at any
 * time.
 */
export interface Moment {
  readonly nowMs: number;
  readonly unixMs: number;
}

export const LONG_AGO: Moment = { nowMs: 0, unixMs: 0 };

export function thisMoment(): Moment {
  return { nowMs: clock.nowMs(), unixMs: clock.unixMs() };
}

/** Returns the milliseconds since a moment, by the clock that has gone further. */
export function msSince({ nowMs, unixMs }: Moment): number {
  return Math.max(clock.nowMs() - nowMs, clock.unixMs() - unixMs);
}
