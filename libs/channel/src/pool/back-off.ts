import type { Limits } from '../options/limits.js';

export type Pauses = Pick<Limits['redial'], 'minMs' | 'maxMs'>;

/**
 * Returns the pause before the next dial. It doubles with each failure, and is random from half of that, so that
 * clients that lost the same server do not all return at once.
 */
export function backOffMs(failures: number, { minMs, maxMs }: Pauses): number {
  const longest = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
