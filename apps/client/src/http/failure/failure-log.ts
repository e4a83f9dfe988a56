import { Logger } from '@nestjs/common';

const INTERVAL_MS = 1_000;

interface Interval {
  readonly endMs: number;
  suppressed: number;
}

/**
 * Logs failed calls, at most one per second for each code, so that a caller cannot fill the disk. The next entry of a code
 * has the number of calls that were not logged.
 */
export class FailureLog {
  readonly #logger = new Logger('Trigger');
  readonly #intervals = new Map<string, Interval>();

  /** @param code - One of a closed set, never chosen by a caller, because an interval is kept for each. */
  warn(code: string, message: string): void {
    this.#limit(code, (suppressed) => this.#logger.warn(message + suppressed));
  }

  error(code: string, message: string, stack: string): void {
    this.#limit(code, (suppressed) => this.#logger.error(message + suppressed, stack));
  }

  #limit(code: string, write: (suppressed: string) => void): void {
    const interval = this.#intervals.get(code);
    const nowMs = performance.now();
    if (interval !== undefined && nowMs < interval.endMs) {
      interval.suppressed += 1;
      return;
    }
    const suppressed = interval?.suppressed ?? 0;
    this.#intervals.set(code, { endMs: nowMs + INTERVAL_MS, suppressed: 0 });
    write(suppressed === 0 ? '' : ` (and ${suppressed} more since the last entry of this code)`);
  }
}
