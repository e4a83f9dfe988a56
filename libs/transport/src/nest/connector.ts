// The one connection that a client has at a time, and how it comes by the next one:
//
//   IDLE → DIALING → CONNECTED → IDLE
//             ↓ ↑         ↓
//            PAUSED ←─────┘        with `redial`, or as long as a call waits for a connection
//
// CONNECTED → CONNECTED: a renewal, the next connection first. CONNECTED → DIALING: the old one went before that.
import { clock } from '../clock.js';
import { TransportError } from '../errors.js';
import type { Limits } from '../limits.js';
import type { Link, LinkEvents } from './client-link.js';
import { backOffMs } from './back-off.js';
import { prove, Renewal } from './renewal.js';
import type { Attempt } from './renewal.js';
import { WaitingCalls } from './waiting-calls.js';

export type ClientConnectionEvent =
  | { readonly type: 'connecting' }
  /** @property retryInMs - Undefined: the next call tries again. */
  | { readonly type: 'failed'; readonly error: unknown; readonly retryInMs: number | undefined }
  | { readonly type: 'connected' }
  /** The connection was old, and a fresh one has taken its place: running calls finish on the old one. */
  | { readonly type: 'renewed' }
  /** No fresh connection could take the place of the old one, which goes on. */
  | { readonly type: 'renewalFailed'; readonly error: unknown; readonly retryInMs: number }
  /**
   * The server asks to move or closes, or the connection is used up: new calls take another one, running calls finish if
   * they still can. It is the last event of this connection: how it ends after that, only the calls on it are told.
   */
  | { readonly type: 'draining' }
  /** @property error - Why the connection was lost; undefined after `close()`, also of a client that still connected. */
  | { readonly type: 'disconnected'; readonly error: TransportError | undefined }
  /**
   * An event of `emit()` did not reach a handler, or may not have: `sent` of a `TransportError` says which. It comes
   * whether or not anybody has subscribed to what `emit()` returned, once for each event.
   */
  | { readonly type: 'eventFailed'; readonly pattern: unknown; readonly error: unknown };

type State =
  | { readonly at: 'IDLE' }
  | ({ readonly at: 'DIALING' } & Attempt)
  | { readonly at: 'PAUSED'; readonly timer: NodeJS.Timeout }
  | {
      readonly at: 'CONNECTED';
      readonly promise: Promise<Link>;
      readonly link: Link;
      readonly renewal: Renewal | undefined;
    };

/** So many may drain when a renewal adds one (docs/protocol.md §5.11). */
const MAX_DRAINING = 4;

export interface ConnectorOptions {
  readonly open: (signal: AbortSignal, events: LinkEvents) => Promise<Link>;
  /** Whether to dial again without a call that asks for it. */
  readonly redial: boolean;
  readonly limits: Pick<Limits, 'redialMinMs' | 'redialMaxMs' | 'waitForConnectionMs' | 'maxQueuedMessages'>;
  readonly changed: (event: ClientConnectionEvent) => void;
}

export class Connector {
  readonly #options: ConnectorOptions;
  /** Every connection that is not closed yet: the current one, and those that drain. */
  readonly #links = new Set<Link>();
  readonly #waiting: WaitingCalls;
  #state: State = { at: 'IDLE' };
  /** Dials that failed since the last one that did not. */
  #failures = 0;
  /** The event that is being told, and those that its listeners have caused. */
  readonly #untold: ClientConnectionEvent[] = [];

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#waiting = new WaitingCalls(options.limits);
  }

  get state(): 'idle' | 'connecting' | 'connected' {
    switch (this.#state.at) {
      case 'IDLE':
        return 'idle';
      case 'DIALING':
      case 'PAUSED':
        return 'connecting';
      case 'CONNECTED':
        return 'connected';
    }
  }

  get link(): Link | undefined {
    return this.#state.at === 'CONNECTED' ? this.#state.link : undefined;
  }

  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  get waitingCount(): number {
    return this.#waiting.count;
  }

  /**
   * The connection, dialed where there is none. Rejects as `open` does, when no connection came in time, and with the
   * reason of `signal` where that ends a wait. Callers are told in the order in which they came.
   */
  connect(signal?: AbortSignal): Promise<Link> {
    if (this.#state.at === 'CONNECTED') return this.#state.promise;
    if (this.#options.limits.waitForConnectionMs === 0) return this.#dialNow();
    const link = this.#waiting.add(signal);
    if (this.#state.at === 'IDLE') this.#dialInBackground();
    return link;
  }

  /**
   * Lets what is running finish, up to `drainMs`; the answer to CLOSE is not waited for if nothing runs. `connect` may be
   * called again. Never rejects.
   */
  async close(drainMs?: number): Promise<void> {
    if (this.#state.at === 'DIALING') this.#state.abort.abort();
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    if (this.#state.at === 'CONNECTED') this.#state.renewal?.end()?.abort.abort();
    const wasIdle = this.#state.at === 'IDLE';
    this.#state = { at: 'IDLE' };
    this.#failures = 0;
    this.#waiting.reject(closed());
    if (!wasIdle) this.#tell({ type: 'disconnected', error: undefined });
    const closings = Array.from(this.#links, async ({ connection }) => {
      const whenGone = connection.close(drainMs);
      if (!connection.hasSaidAll) await whenGone;
    });
    await Promise.all(closings);
  }

  #dialNow(): Promise<Link> {
    if (this.#state.at === 'DIALING') return this.#state.promise;
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    const abort = new AbortController();
    const promise = this.#dial(abort.signal);
    this.#state = { at: 'DIALING', promise, abort };
    this.#tell({ type: 'connecting' }); // who hears it may connect or close already
    return promise;
  }

  /** Its failure is told by an event, and to the calls that wait. */
  #dialInBackground(): void {
    this.#dialNow().catch(() => undefined);
  }

  async #dial(signal: AbortSignal, isRenewal = false): Promise<Link> {
    try {
      const link = await this.#options.open(signal, {
        aged: (old) => this.#renew(old),
        retired: (retired) => this.#leave(retired, { type: 'draining' }),
        closed: (left, error) => this.#noteClosed(left, error),
      });
      this.#links.add(link);
      if (isRenewal) await prove(link);
      this.#adopt(link, signal);
      return link;
    } catch (error) {
      // In the same turn: a retry that comes at once dials anew.
      if (!signal.aborted) this.#fail(error);
      throw error;
    }
  }

  #renew(old: Link): void {
    const state = this.#state;
    if (state.at !== 'CONNECTED' || state.link !== old || state.renewal !== undefined) return;
    const renewal = new Renewal({
      dial: (signal) => this.#dial(signal, true),
      hasRoom: () => this.#links.size <= MAX_DRAINING, // one of them is the current one
      limits: this.#options.limits,
    });
    this.#state = { ...state, renewal };
    renewal.tryNow();
  }

  #adopt(link: Link, signal: AbortSignal): void {
    if (signal.aborted) {
      void link.connection.close();
      throw closed();
    }
    this.#failures = 0;
    const before = this.#state;
    // Whoever comes from now on is told behind those who wait for the dial.
    const promise = before.at === 'DIALING' ? before.promise : Promise.resolve(link);
    this.#state = { at: 'CONNECTED', link, promise, renewal: undefined };
    this.#waiting.resolve(link);
    if (before.at === 'CONNECTED') before.link.connection.retire();
    this.#tell({ type: before.at === 'CONNECTED' ? 'renewed' : 'connected' });
  }

  #fail(error: unknown): void {
    if (this.#state.at === 'CONNECTED') {
      const retryInMs = this.#state.renewal?.noteFailed();
      if (retryInMs !== undefined) this.#tell({ type: 'renewalFailed', error, retryInMs });
      return;
    }
    this.#failures += 1;
    this.#waiting.dialFailed(error);
    this.#tell({ type: 'failed', error, retryInMs: this.#pauseOrRest() });
  }

  #noteClosed(link: Link, error: TransportError | undefined): void {
    this.#links.delete(link);
    this.#leave(link, { type: 'disconnected', error });
    if (this.#state.at === 'CONNECTED') this.#state.renewal?.tryNow();
  }

  #leave(link: Link, event: ClientConnectionEvent): void {
    if (this.#state.at !== 'CONNECTED' || this.#state.link !== link) return;
    const attempt = this.#state.renewal?.end();
    if (attempt === undefined) this.#pauseOrRest();
    else this.#state = { at: 'DIALING', ...attempt };
    this.#tell(event);
    if (attempt !== undefined) this.#tell({ type: 'connecting' });
  }

  /** All listeners hear of an event before any hears of the next one. */
  #tell(event: ClientConnectionEvent): void {
    this.#untold.push(event);
    if (this.#untold.length > 1) return;
    try {
      for (const next of this.#untold) this.#options.changed(next);
    } finally {
      this.#untold.length = 0; // or nothing would be told any more
    }
  }

  /** @returns How long it pauses before the next dial; undefined when that is left to the next call. */
  #pauseOrRest(): number | undefined {
    const { redial, limits } = this.#options;
    if (!redial && this.#waiting.count === 0) {
      this.#state = { at: 'IDLE' };
      return undefined;
    }
    const delayMs = backOffMs(this.#failures, limits);
    // To hope for a server is no reason for a process to go on; calls that wait have timers of their own.
    const timer = clock.setTimeout(() => this.#retry(), delayMs).unref();
    this.#state = { at: 'PAUSED', timer };
    return delayMs;
  }

  #retry(): void {
    if (this.#options.redial || this.#waiting.count > 0) this.#dialInBackground();
    else this.#state = { at: 'IDLE' }; // those who waited have given up
  }
}

export function closed(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client was closed while it connected', { sent: false });
}
