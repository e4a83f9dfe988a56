import type { Limits } from '../options/limits.js';

export type BackOffLimits = Pick<Limits, 'redialMinMs' | 'redialMaxMs'>;

/** Twice as long after each failure, and by chance down to half of that: clients that lost one server do not return at once. */
export function backOffMs(failures: number, { redialMinMs, redialMaxMs }: BackOffLimits): number {
  const longest = Math.min(redialMaxMs, redialMinMs * 2 ** Math.min(failures, 30));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
