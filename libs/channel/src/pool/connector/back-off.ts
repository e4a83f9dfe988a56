import { clock } from '../../clock.js';
import type { Limits } from '../../options/limits.js';

export type Pauses = Pick<Limits['redial'], 'minMs' | 'maxMs'>;

/**
 * Returns the pause before the next dial. It doubles with each failure, and is random from half of that, so that
 * clients that lost the same server do not all return at the same time.
 */
export function backOffMs(failures: number, { minMs, maxMs }: Pauses): number {
  const longest = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

/** A connection that is lost within this time is an early loss. */
const EARLY_MS = 10_000;

/** Counts the connections to one server that were lost soon after they were opened, one after the other. */
export class EarlyLosses {
  #count = 0;
  #openedMs = -Infinity;

  /** The number of failures to add for the next pause. The first loss adds none, because any server may restart. */
  get failures(): number {
    return Math.max(0, this.#count - 1);
  }

  noteOpened(): void {
    this.#openedMs = clock.nowMs();
  }

  noteLost(): void {
    this.#count = clock.nowMs() - this.#openedMs < EARLY_MS ? this.#count + 1 : 0;
  }

  reset(): void {
    this.#count = 0;
  }
}
