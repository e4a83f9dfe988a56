// The state of both ends for an operator: counters since the start, and the numbers of this moment.
import type { ClientConnectionEvent, ServerLink, StreamHandler } from '@sealwire/channel';
import { TrafficCounter } from '@sealwire/channel/internal';
import type { LinkCounts, Traffic } from '@sealwire/channel/internal';

export interface SealwireClientSnapshot extends LinkCounts {
  /** Calls that wait to be serialized, for a connection, or for a place at the server. */
  readonly waiting: number;
  /** Since the start, renewals of a connection included. */
  readonly connected: number;
  readonly dialsFailed: number;
  /** Events of `emit()` that did not reach a handler, or may not have. */
  readonly eventsFailed: number;
}

export interface SealwireServerSnapshot extends Traffic {
  /** Open ones, whose clients have proved the key. */
  readonly connections: number;
  /** Connections that have not proved the key yet. */
  readonly strangers: number;
  /** Requests and events that are being received, handled or answered. */
  readonly inFlight: number;
  /** Handlers that run, those of cancelled requests and of connections that are gone included. */
  readonly running: number;
  /** Memory of the messages of these handlers, as `maxRunningBytes` estimates it. */
  readonly runningBytes: number;
  /** Memory of incomplete messages, of all connections of this process. */
  readonly incompleteBytes: number;
  /** Since the start. */
  readonly accepted: number;
  readonly handshakesFailed: number;
  /** Requests answered with `ERR_OVERLOADED`, as there was no room for them or their handlers. */
  readonly requestsRefused: number;
  /** The same of events. */
  readonly eventsRefused: number;
  /** Open connections that did not end by agreement. */
  readonly connectionsFailed: number;
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

  snapshot(counts: LinkCounts, serializing: number): SealwireClientSnapshot {
    return {
      ...counts,
      waiting: counts.waiting + serializing,
      connected: this.#connected,
      dialsFailed: this.#dialsFailed,
      eventsFailed: this.#eventsFailed,
    };
  }
}

/** What is counted of a connection. */
type OpenLink = Pick<ServerLink<StreamHandler>, 'connection' | 'streams'>;

export class ServerCounters {
  readonly #traffic = new TrafficCounter();
  #accepted = 0;
  #handshakesFailed = 0;
  #connectionsFailed = 0;
  #requestsRefused = 0;
  #eventsRefused = 0;

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

  left({ connection }: OpenLink, failed: boolean): void {
    this.#traffic.left(connection);
    if (failed) this.#connectionsFailed += 1;
  }

  snapshot(
    links: Iterable<OpenLink>,
    now: Pick<SealwireServerSnapshot, 'strangers' | 'running' | 'runningBytes' | 'incompleteBytes'>,
  ): SealwireServerSnapshot {
    const all = [...links];
    return {
      connections: all.length,
      inFlight: all.reduce((sum, { streams }) => sum + streams.openCount, 0),
      ...now,
      accepted: this.#accepted,
      handshakesFailed: this.#handshakesFailed,
      requestsRefused: this.#requestsRefused,
      eventsRefused: this.#eventsRefused,
      connectionsFailed: this.#connectionsFailed,
      ...this.#traffic.sum(all.map(({ connection }) => connection)),
    };
  }
}
