import type { Limits } from '../options/limits.js';

export type Pauses = Pick<Limits['redial'], 'minMs' | 'maxMs'>;

/** Twice as long after each failure, and by chance down to half of that: clients that lost one server do not return at once. */
export function backOffMs(failures: number, { minMs, maxMs }: Pauses): number {
  const longest = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
