import type { ClientLink } from '../client/client-link.js';

/** The connections that take new calls, one for each connector that has one. */
export class OpenLinks {
  readonly #links: ClientLink[] = [];
  /** Where the next search begins, so that connections with equally many calls take turns. */
  #turn = 0;

  get count(): number {
    return this.#links.length;
  }

  get first(): ClientLink | undefined {
    return this.#links[0];
  }

  get all(): readonly ClientLink[] {
    return this.#links;
  }

  /** @param replaced - The connection whose place the new one takes. */
  add(link: ClientLink, replaced: ClientLink | undefined): void {
    const place = replaced === undefined ? -1 : this.#links.indexOf(replaced);
    if (place === -1) this.#links.push(link);
    else this.#links[place] = link;
  }

  remove(link: ClientLink): void {
    const place = this.#links.indexOf(link);
    if (place !== -1) this.#links.splice(place, 1);
  }

  clear(): void {
    this.#links.length = 0;
  }

  /**
   * Returns the connection with the fewest calls, of those with a free slot if there are any. Requests that have timed out
   * count too until the server sends something, so that a server that has stalled does not get the next ones.
   *
   * @param except - Server instances that are left out.
   */
  leastBusy(except: ReadonlySet<string> | undefined): ClientLink | undefined {
    const { length } = this.#links;
    this.#turn = (this.#turn + 1) % Math.max(1, length);
    let best: ClientLink | undefined;
    let lowest: Load = { hasFreeSlot: false, calls: Infinity };
    for (let step = 0; step < length; step++) {
      const link = this.#links[(this.#turn + step) % length];
      if (link === undefined || except?.has(link.serverId) === true) continue;
      const load = loadOf(link);
      if (!isLower(load, lowest)) continue;
      best = link;
      lowest = load;
    }
    return best;
  }
}

interface Load {
  readonly hasFreeSlot: boolean;
  readonly calls: number;
}

function loadOf({ streams, unansweredCount }: ClientLink): Load {
  const { hasFreeSlot, openCount, queuedCount } = streams;
  return { hasFreeSlot, calls: openCount + queuedCount + unansweredCount };
}

function isLower(one: Load, other: Load): boolean {
  return one.hasFreeSlot === other.hasFreeSlot ? one.calls < other.calls : one.hasFreeSlot;
}
