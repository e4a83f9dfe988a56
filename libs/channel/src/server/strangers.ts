// Connections that are not authenticated yet (docs/protocol.md §7). Their number is limited, and the one with the
// least progress is evicted first, so that silent connections cannot keep out a client that completes a handshake.
import { isIPv6 } from 'node:net';

/** The progress of a stranger. A replay of message 1 proves nothing, so it counts as silent. */
export type StrangerProgress = 'silent' | 'begun' | 'verified';

export interface Stranger {
  /** The network of the client; undefined on a Unix domain socket. */
  readonly network: string | undefined;
  readonly progress: StrangerProgress;
  evict(): void;
}

/** The order of eviction. */
const RANKS: readonly StrangerProgress[] = ['silent', 'begun', 'verified'];

/** The maximum share of one network, whatever the progress of its strangers: the rest is for other networks. */
const MOST_OF_ONE_NETWORK = 0.5;
/**
 * The minimum share of unverified strangers in the places of a network, so that new ones have time to send message 1.
 */
const LEAST_FOR_UNVERIFIED = 0.5;

export class Strangers {
  readonly #max: number;
  readonly #maxOfNetwork: number;
  readonly #mostOfNetwork: number;
  /** In the order of arrival. */
  readonly #all = new Set<Stranger>();
  readonly #byNetwork = new Map<string, Set<Stranger>>();

  constructor(max: number, maxOfNetwork: number) {
    this.#max = max;
    this.#maxOfNetwork = maxOfNetwork;
    this.#mostOfNetwork = Math.max(maxOfNetwork, Math.floor(max * MOST_OF_ONE_NETWORK));
  }

  get count(): number {
    return this.#all.size;
  }

  /**
   * Adds a stranger. Evicts another one if all places are taken, or one of its network if that has half of all places.
   * The new stranger itself is never evicted, because it has had no time to make progress.
   *
   * @returns Whether its network exceeds its limit: call {@link trim} after the strangers have had time to send
   *   message 1.
   */
  add(stranger: Stranger): boolean {
    const neighbours = this.#neighboursOf(stranger);
    const isCrowded = neighbours !== undefined && neighbours.size >= this.#maxOfNetwork;
    if (isCrowded && (this.#all.size >= this.#max || neighbours.size >= this.#mostOfNetwork)) {
      this.#evictLowest(neighbours, 1);
    } else if (this.#all.size >= this.#max) {
      this.#evictLowest(this.#all, 1);
    }
    this.#all.add(stranger);
    this.#neighboursOf(stranger)?.add(stranger);
    return isCrowded;
  }

  /** Evicts the excess of each network, except verified strangers: their work would be lost, and they leave soon. */
  trim(): void {
    for (const neighbours of this.#byNetwork.values()) this.#evictLowest(neighbours, this.#excessOf(neighbours));
  }

  /** Removes a stranger whose connection is open or has ended. May be called again. */
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

  #excessOf(neighbours: ReadonlySet<Stranger>): number {
    if (neighbours.size <= this.#maxOfNetwork) return 0;
    const unverified = [...neighbours].filter(({ progress }) => progress !== 'verified').length;
    const kept = Math.ceil(this.#maxOfNetwork * LEAST_FOR_UNVERIFIED);
    return Math.min(neighbours.size - this.#maxOfNetwork, unverified - kept);
  }

  /** Evicts the oldest strangers of the lowest ranks. */
  #evictLowest(strangers: ReadonlySet<Stranger>, count: number): void {
    let left = count;
    for (const rank of RANKS) {
      for (const stranger of strangers) {
        if (left <= 0) return;
        if (stranger.progress !== rank) continue;
        left -= 1;
        this.#evict(stranger);
      }
    }
  }

  #evict(stranger: Stranger): void {
    this.delete(stranger);
    stranger.evict();
  }
}

/** Returns an IPv4 address, or the /64 of an IPv6 address, which usually belongs to one host. */
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
