// The state of both ends for an operator: counters since the start, and current numbers.
import type { ClientConnectionEvent, ServerLink, StreamHandler } from '@sealwire/channel';
import { TrafficCounter } from '@sealwire/channel/internal';
import type { LinkCounts, Traffic } from '@sealwire/channel/internal';
import type { KeysStatus } from '@sealwire/crypto';

/** The counters of a client at one moment. */
export interface SealwireClientSnapshot extends LinkCounts {
  /** Calls that wait for the serializer, for a connection, or for the in-flight limit of the server. */
  readonly waiting: number;
  /** Connections since the start, including renewals. */
  readonly connected: number;
  readonly dialsFailed: number;
  /** Further attempts of calls after the first one, on another connection. */
  readonly retries: number;
  /** Events of `emit()` that did not reach a handler, or may not have reached one. */
  readonly eventsFailed: number;
  /** The current keys, and the reason why newer ones were not loaded; undefined before the first load. */
  readonly keys: KeysStatus | undefined;
}

/** The open connections with one key. */
export interface ConnectionsOfKey {
  /** The id of the key, 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key; undefined if it has none. */
  readonly label: string | undefined;
  readonly connections: number;
}

/** The counters of a server at one moment. */
export interface SealwireServerSnapshot extends Traffic {
  /** Open connections whose clients are authenticated. */
  readonly connections: number;
  /** The same connections by key. Removing a key that is not here ends no connection of this server. */
  readonly connectionsByKey: readonly ConnectionsOfKey[];
  /** Connections that are not authenticated yet. */
  readonly strangers: number;
  /** Requests and events that are being received, handled or answered. */
  readonly inFlight: number;
  /** Running handlers, including those of cancelled requests and of lost connections. */
  readonly running: number;
  /** The memory of the messages of these handlers, by the estimate of `maxRunningBytes`. */
  readonly runningBytes: number;
  /** The memory of the incomplete messages on all connections of this process. */
  readonly incompleteBytes: number;
  /** Connections since the start whose clients are authenticated. */
  readonly accepted: number;
  readonly handshakesFailed: number;
  /** Requests that were refused with `ERR_OVERLOADED`. */
  readonly requestsRefused: number;
  /** Events that were refused with `ERR_OVERLOADED`. */
  readonly eventsRefused: number;
  /** Requests that were refused with `ERR_FORBIDDEN`, because the key may not call the pattern. */
  readonly requestsForbidden: number;
  /** Events that were refused because the key may not call the pattern. */
  readonly eventsForbidden: number;
  /** Connections that were lost instead of closed by both ends. */
  readonly connectionsFailed: number;
  /** The current keys, and the reason why newer ones were not loaded; undefined before the first load. */
  readonly keys: KeysStatus | undefined;
}

export interface CallCounts {
  /** The number of calls that wait to be serialized. */
  readonly waitingCount: number;
  readonly retries: number;
}

export class ClientCounters {
  #connected = 0;
  #dialsFailed = 0;
  #eventsFailed = 0;

  note({ type }: ClientConnectionEvent): void {
    if (type === 'connected' || type === 'renewed') this.#connected += 1;
    if (type === 'failed' || type === 'renewalFailed') this.#dialsFailed += 1;
    if (type === 'eventFailed') this.#eventsFailed += 1;
  }

  snapshot(
    counts: LinkCounts,
    { waitingCount, retries }: CallCounts,
    keys: KeysStatus | undefined,
  ): SealwireClientSnapshot {
    return {
      ...counts,
      waiting: counts.waiting + waitingCount,
      connected: this.#connected,
      dialsFailed: this.#dialsFailed,
      retries,
      eventsFailed: this.#eventsFailed,
      keys,
    };
  }
}

/** The parts of a connection that are counted. */
type OpenLink = Pick<ServerLink<StreamHandler>, 'connection' | 'peer' | 'streams'>;

export class ServerCounters {
  readonly #traffic = new TrafficCounter();
  #accepted = 0;
  #handshakesFailed = 0;
  #connectionsFailed = 0;
  #requestsRefused = 0;
  #eventsRefused = 0;
  #requestsForbidden = 0;
  #eventsForbidden = 0;

  opened(): void {
    this.#accepted += 1;
  }

  handshakeFailed(): void {
    this.#handshakesFailed += 1;
  }

  refused(kind: 'request' | 'event'): void {
    if (kind === 'request') this.#requestsRefused += 1;
    else this.#eventsRefused += 1;
  }

  forbidden(kind: 'request' | 'event'): void {
    if (kind === 'request') this.#requestsForbidden += 1;
    else this.#eventsForbidden += 1;
  }

  closed({ connection }: OpenLink, failed: boolean): void {
    this.#traffic.addClosed(connection);
    if (failed) this.#connectionsFailed += 1;
  }

  snapshot(
    links: Iterable<OpenLink>,
    now: Pick<SealwireServerSnapshot, 'strangers' | 'running' | 'runningBytes' | 'incompleteBytes' | 'keys'>,
  ): SealwireServerSnapshot {
    const all = [...links];
    return {
      connections: all.length,
      connectionsByKey: countByKey(all),
      inFlight: all.reduce((sum, { streams }) => sum + streams.openCount, 0),
      ...now,
      accepted: this.#accepted,
      handshakesFailed: this.#handshakesFailed,
      requestsRefused: this.#requestsRefused,
      eventsRefused: this.#eventsRefused,
      requestsForbidden: this.#requestsForbidden,
      eventsForbidden: this.#eventsForbidden,
      connectionsFailed: this.#connectionsFailed,
      ...this.#traffic.sum(all.map(({ connection }) => connection)),
    };
  }
}

function countByKey(links: readonly OpenLink[]): readonly ConnectionsOfKey[] {
  const counts = new Map<string, ConnectionsOfKey>();
  for (const { peer } of links) {
    const { keyId, label } = peer;
    counts.set(keyId, { keyId, label, connections: (counts.get(keyId)?.connections ?? 0) + 1 });
  }
  return [...counts.values()];
}
