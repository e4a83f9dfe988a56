import { AsyncResource } from 'node:async_hooks';

import { clock } from '@sealwire/channel/internal';

const INTERVAL_MS = 1_000;

interface Interval {
  readonly timer: NodeJS.Timeout;
  /** The last of those that came in it, and how many. */
  held: { readonly write: (suppressed: number) => void; readonly count: number } | undefined;
}

/**
 * At most one entry a second for each kind. The first is written at once, of the others the last at the end of the
 * second, with the number of those before it: every entry is written or counted, within a second.
 */
export class LogLimit {
  readonly #intervals = new Map<string, Interval>();

  /** @param kind - One of a closed set, and never chosen by a peer: an interval is kept for each. */
  write(kind: string, write: (suppressed: number) => void): void {
    const interval = this.#intervals.get(kind);
    if (interval === undefined) this.#begin(kind, write, 0);
    else interval.held = { write: inOwnContext(write), count: (interval.held?.count ?? 0) + 1 };
  }

  /** Writes what is held back. */
  flush(): void {
    const intervals = [...this.#intervals.values()];
    this.#intervals.clear();
    for (const { timer, held } of intervals) {
      clock.clearTimeout(timer);
      if (held !== undefined) writeOrLose(() => held.write(held.count - 1));
    }
  }

  #begin(kind: string, write: (suppressed: number) => void, suppressed: number): void {
    const timer = clock.setTimeout(() => this.#end(kind), INTERVAL_MS).unref();
    this.#intervals.set(kind, { timer, held: undefined });
    writeOrLose(() => write(suppressed));
  }

  #end(kind: string): void {
    const held = this.#intervals.get(kind)?.held;
    if (held === undefined) this.#intervals.delete(kind);
    else this.#begin(kind, held.write, held.count - 1);
  }
}

/** The timer belongs to the first entry, and a logger may look up the request that an entry is about. */
function inOwnContext(write: (suppressed: number) => void): (suppressed: number) => void {
  return AsyncResource.bind((suppressed: number) => write(suppressed));
}

/** The logger is the user's. One that throws loses the entry; a connection or the process must not be lost over it. */
export function writeOrLose(write: () => void): void {
  try {
    write();
  } catch {
    // There is nowhere left to tell it.
  }
}
