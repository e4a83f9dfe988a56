// The single current connection of a client, and its reconnect logic:
//
//   IDLE → DIALING → CONNECTED → IDLE
//             ↓ ↑         ↓
//            PAUSED ←─────┘        with `redial`, or while a call waits for a connection
//
// CONNECTED → CONNECTED is a renewal, which dials the next connection first. CONNECTED → DIALING: the old connection
// ended before the renewal was complete.
import { clock } from '../clock.js';
import { TrafficCounter } from '../connection/traffic-counter.js';
import { TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { ClientStream } from '../streams/client-stream.js';
import { backOffMs } from './back-off.js';
import type { ClientLink, LinkEvents } from './client-link.js';
import type { ClientConnectionEvent } from './connection-event.js';
import type { LinkCounts, Links } from './links.js';
import { prove, Renewal } from './renewal.js';
import type { Attempt } from './renewal.js';
import { WaitingCalls } from './waiting-calls.js';

type State =
  | { readonly at: 'IDLE' }
  | ({ readonly at: 'DIALING' } & Attempt)
  | { readonly at: 'PAUSED'; readonly timer: NodeJS.Timeout }
  | {
      readonly at: 'CONNECTED';
      readonly promise: Promise<ClientLink>;
      readonly link: ClientLink;
      readonly renewal: Renewal | undefined;
    };

const STATES = { IDLE: 'idle', DIALING: 'connecting', PAUSED: 'connecting', CONNECTED: 'connected' } as const;

/** The maximum number of draining connections when a renewal adds one (docs/protocol.md §5.11). */
const MAX_DRAINING = 4;

export interface ConnectorOptions {
  readonly open: (signal: AbortSignal, events: LinkEvents) => Promise<ClientLink>;
  readonly limits: Pick<Limits, 'redial' | 'waitForConnectionMs' | 'maxQueuedMessages'>;
  readonly emit: (event: ClientConnectionEvent) => void;
}

export class Connector implements Links {
  readonly #options: ConnectorOptions;
  /** Shared by the current connection and those that drain. */
  readonly #linkEvents: LinkEvents = {
    onAged: (link) => this.#renew(link),
    onRetired: (link) => this.#leave(link, { type: 'draining' }),
    onClosed: (link, error) => this.#noteClosed(link, error),
  };
  /** All connections that are not closed: the current one, and those that drain. */
  readonly #links = new Set<ClientLink>();
  readonly #traffic = new TrafficCounter();
  readonly #waiting: WaitingCalls;
  #state: State = { at: 'IDLE' };
  /** Failed dials since the last successful one. */
  #failures = 0;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#waiting = new WaitingCalls(options.limits);
  }

  get open(): ClientLink | undefined {
    return this.#state.at === 'CONNECTED' ? this.#state.link : undefined;
  }

  pick(_kind: ClientStream['kind'], except?: ReadonlySet<string>): ClientLink | undefined {
    const link = this.open;
    return link === undefined || except?.has(link.serverId) === true ? undefined : link;
  }

  connect(_kind: ClientStream['kind'], signal?: AbortSignal): Promise<ClientLink> {
    if (this.#state.at === 'CONNECTED') return this.#state.promise;
    const link = this.#waiting.add(signal);
    const isPatient = this.#options.limits.waitForConnectionMs > 0;
    if (this.#state.at === 'IDLE' || (this.#state.at === 'PAUSED' && !isPatient)) this.#dialInBackground();
    return link;
  }

  counts(): LinkCounts {
    const links = [...this.#links];
    return {
      state: STATES[this.#state.at],
      connections: links.filter(({ connection }) => !connection.hasSaidAll).length,
      inFlight: links.reduce((sum, { streams }) => sum + streams.openCount, 0),
      waiting: links.reduce((sum, { streams }) => sum + streams.queuedCount, this.#waiting.count),
      ...this.#traffic.sum(links.map(({ connection }) => connection)),
    };
  }

  endSeries(): void {
    for (const { streams } of this.#links)
      streams.endSeries(() => new TransportError('ERR_CLIENT_CLOSED', 'The client was closed'));
  }

  async close(drainMs?: number): Promise<void> {
    if (this.#state.at === 'DIALING') this.#state.abort.abort();
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    if (this.#state.at === 'CONNECTED') this.#state.renewal?.end()?.abort.abort();
    const wasIdle = this.#state.at === 'IDLE';
    this.#state = { at: 'IDLE' };
    this.#failures = 0;
    this.#waiting.reject(closed());
    if (!wasIdle) this.#options.emit({ type: 'disconnected', error: undefined });
    const closings = Array.from(this.#links, async ({ connection }) => {
      const whenGone = connection.close(drainMs);
      if (!connection.hasSaidAll) await whenGone;
    });
    await Promise.all(closings);
  }

  #dialNow(): Promise<ClientLink> {
    if (this.#state.at === 'DIALING') return this.#state.promise;
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    const abort = new AbortController();
    const promise = this.#dial(abort.signal);
    this.#state = { at: 'DIALING', promise, abort };
    this.#options.emit({ type: 'connecting' }); // last, because listeners may call connect() or close()
    return promise;
  }

  /** Ignores the rejection: an event reports the failure, and waiting calls may fail with it. */
  #dialInBackground(): void {
    this.#dialNow().catch(() => undefined);
  }

  async #dial(signal: AbortSignal, isRenewal = false): Promise<ClientLink> {
    try {
      const link = await this.#options.open(signal, this.#linkEvents);
      this.#links.add(link);
      if (isRenewal) await prove(link);
      this.#adopt(link, signal);
      return link;
    } catch (error) {
      // Before the rejection is delivered: a caller that retries immediately must dial again.
      if (!signal.aborted) this.#fail(error);
      throw error;
    }
  }

  #renew(old: ClientLink): void {
    const state = this.#state;
    if (state.at !== 'CONNECTED' || state.link !== old || state.renewal !== undefined) return;
    const renewal = new Renewal({
      dial: (signal) => this.#dial(signal, true),
      hasRoom: () => this.#links.size <= MAX_DRAINING, // one of them is the current one
      pauses: this.#options.limits.redial,
    });
    this.#state = { ...state, renewal };
    renewal.tryNow();
  }

  #adopt(link: ClientLink, signal: AbortSignal): void {
    if (signal.aborted) {
      void link.connection.close();
      throw closed();
    }
    this.#failures = 0;
    const before = this.#state;
    // Keeps the order of calls: later ones resume after those that wait for this promise.
    const promise = before.at === 'DIALING' ? before.promise : Promise.resolve(link);
    this.#state = { at: 'CONNECTED', link, promise, renewal: undefined };
    this.#waiting.resolve(link);
    if (before.at === 'CONNECTED') before.link.connection.retire();
    this.#options.emit({ type: before.at === 'CONNECTED' ? 'renewed' : 'connected' });
  }

  #fail(error: unknown): void {
    if (this.#state.at === 'CONNECTED') {
      const retryInMs = this.#state.renewal?.noteFailed();
      if (retryInMs !== undefined) this.#options.emit({ type: 'renewalFailed', error, retryInMs });
      return;
    }
    this.#failures += 1;
    this.#waiting.dialFailed(error);
    this.#options.emit({ type: 'failed', error, retryInMs: this.#pauseOrIdle() });
  }

  #noteClosed(link: ClientLink, error: TransportError | undefined): void {
    this.#links.delete(link);
    this.#traffic.addClosed(link.connection);
    this.#leave(link, { type: 'disconnected', error });
    if (this.#state.at === 'CONNECTED') this.#state.renewal?.tryNow();
  }

  #leave(link: ClientLink, event: ClientConnectionEvent): void {
    if (this.#state.at !== 'CONNECTED' || this.#state.link !== link) return;
    const attempt = this.#state.renewal?.end();
    if (attempt === undefined) this.#pauseOrIdle();
    else this.#state = { at: 'DIALING', ...attempt };
    this.#options.emit(event);
    if (attempt !== undefined) this.#options.emit({ type: 'connecting' });
  }

  /** @returns The pause before the next dial; undefined if only the next call dials. */
  #pauseOrIdle(): number | undefined {
    const { redial } = this.#options.limits;
    if (!redial.inBackground && this.#waiting.count === 0) {
      this.#state = { at: 'IDLE' };
      return undefined;
    }
    const delayMs = backOffMs(this.#failures, redial);
    // The hope for a server does not keep a process alive; calls that wait for it have timers.
    const timer = clock
      .setTimeout(() => {
        if (redial.inBackground || this.#waiting.count > 0) this.#dialInBackground();
        else this.#state = { at: 'IDLE' }; // the waiting calls have timed out
      }, delayMs)
      .unref();
    this.#state = { at: 'PAUSED', timer };
    return delayMs;
  }
}

export function closed(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client was closed while it connected', { sent: false });
}
