import { AsyncResource } from 'node:async_hooks';

import { clock } from '@sealwire/channel/internal';

const INTERVAL_MS = 1_000;

interface Interval {
  readonly timer: NodeJS.Timeout;
  /** The last entry of the interval, and the number of its entries. */
  held: { readonly write: (suppressed: number) => void; readonly count: number } | undefined;
}

/**
 * Limits the log to one entry per second for each kind. The first entry is written immediately. Of the others, the last
 * is written at the end of the second, with the number of entries that it replaces.
 */
export class LogLimit {
  readonly #intervals = new Map<string, Interval>();

  /** @param kind - One of a closed set, such as the keys of the server, never chosen by a peer, because an interval is kept for each. */
  write(kind: string, write: (suppressed: number) => void): void {
    const interval = this.#intervals.get(kind);
    if (interval === undefined) this.#begin(kind, write, 0);
    else {
      // A logger may read the async context; the timer has the context of the first entry.
      const bound = AsyncResource.bind((suppressed: number) => write(suppressed));
      interval.held = { write: bound, count: (interval.held?.count ?? 0) + 1 };
    }
  }

  /** Writes the entries that are held back. */
  flush(): void {
    const intervals = [...this.#intervals.values()];
    this.#intervals.clear();
    for (const { timer, held } of intervals) {
      clock.clearTimeout(timer);
      if (held !== undefined) writeOrLose(() => held.write(held.count - 1));
    }
  }

  #begin(kind: string, write: (suppressed: number) => void, suppressed: number): void {
    const end = (): void => {
      const held = this.#intervals.get(kind)?.held;
      if (held === undefined) this.#intervals.delete(kind);
      else this.#begin(kind, held.write, held.count - 1);
    };
    this.#intervals.set(kind, { timer: clock.setTimeout(end, INTERVAL_MS).unref(), held: undefined });
    writeOrLose(() => write(suppressed));
  }
}

/** Writes an entry with the user's logger. If it throws, the entry is lost, but no connection and not the process. */
export function writeOrLose(write: () => void): void {
  try {
    write();
  } catch {
    // A failure of the log cannot be logged.
  }
}
