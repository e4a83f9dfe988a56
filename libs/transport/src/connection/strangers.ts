// Those who have connected and not proved the key yet (docs/protocol.md §7). They are few, and the one that has shown least
// goes first: a crowd that stays silent cannot keep out a client that completes a handshake.
import { isIPv6 } from 'node:net';

/** How far a stranger has come. A replay of message 1 proves nothing, so it ranks with the silent. */
export type StrangerProgress = 'silent' | 'begun' | 'verified';

export interface Stranger {
  /** The network it comes from; undefined on a Unix domain socket. */
  readonly network: string | undefined;
  readonly progress: StrangerProgress;
  evict(): void;
}

/** In the order in which they have to go. */
const RANKS: readonly StrangerProgress[] = ['silent', 'begun', 'verified'];

export class Strangers {
  readonly #max: number;
  readonly #maxPerNetwork: number;
  /** In the order of their arrival. */
  readonly #all = new Set<Stranger>();
  readonly #byNetwork = new Map<string, Set<Stranger>>();

  constructor(max: number, maxPerNetwork: number) {
    this.#max = max;
    this.#maxPerNetwork = maxPerNetwork;
  }

  get count(): number {
    return this.#all.size;
  }

  /**
   * Makes room for one more by evicting the oldest of the lowest rank, of the same network if that one is full. The one that
   * comes is never evicted itself: it could not have shown anything yet.
   */
  add(stranger: Stranger): void {
    const neighbours = this.#neighboursOf(stranger);
    if (neighbours !== undefined && neighbours.size >= this.#maxPerNetwork) this.#evictLowest(neighbours);
    if (this.#all.size >= this.#max) this.#evictLowest(this.#all);
    this.#all.add(stranger);
    this.#neighboursOf(stranger)?.add(stranger);
  }

  /** It is open now, or gone. May be called again. */
  delete(stranger: Stranger): void {
    this.#all.delete(stranger);
    if (stranger.network === undefined) return;
    const neighbours = this.#byNetwork.get(stranger.network);
    neighbours?.delete(stranger);
    if (neighbours?.size === 0) this.#byNetwork.delete(stranger.network);
  }

  evictAll(): void {
    for (const stranger of this.#all) this.#evict(stranger);
  }

  #neighboursOf({ network }: Stranger): Set<Stranger> | undefined {
    if (network === undefined) return undefined;
    const neighbours = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, neighbours);
    return neighbours;
  }

  #evictLowest(strangers: ReadonlySet<Stranger>): void {
    let lowest: Stranger | undefined;
    for (const stranger of strangers) {
      if (lowest === undefined || rankOf(stranger) < rankOf(lowest)) lowest = stranger;
      if (rankOf(lowest) === 0) break;
    }
    if (lowest !== undefined) this.#evict(lowest);
  }

  #evict(stranger: Stranger): void {
    this.delete(stranger);
    stranger.evict();
  }
}

function rankOf({ progress }: Stranger): number {
  return RANKS.indexOf(progress);
}

/** An IPv4 address, or the /64 of an IPv6 address: that much belongs to one host. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(address)) return address;
  const [withoutZone = ''] = address.split('%');
  const [head = '', tail] = withoutZone.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length);
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...behind];
  return `${all.slice(0, 4).join(':')}::/64`;
}
