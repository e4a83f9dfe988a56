// The connection to one server, and its reconnect logic. connector-state.ts has the states.
import type { ClientLink, LinkEvents } from '../../client/client-link.js';
import type { ServerCounts } from '../../client/links.js';
import { clock } from '../../clock.js';
import type { ConnectorEvent } from './connector-event.js';
import type { ConnectorOwner } from './connector-owner.js';
import { DialHistory } from './dial-history.js';
import type { Pauses } from './back-off.js';
import { countServer, endState, SHOWN_STATES } from './connector-state.js';
import type { ConnectorState } from './connector-state.js';
import { prove, Renewal } from './renewal.js';
import type { ServerAddress } from '../addresses/server-address.js';

export class ServerConnector {
  /** May change, because a name may get further addresses. */
  server: ServerAddress;
  /** Shared by the current connection and those that drain. */
  readonly #linkEvents: LinkEvents = {
    onAged: (link) => this.#renew(link),
    onRetired: (link, move) => this.#leave(link, { type: 'draining' }, move),
    onClosed: (link, error) => {
      this.#links.delete(link);
      this.#owner.noteClosed(link);
      this.#leave(link, { type: 'disconnected', error });
      if (this.#state.at === 'CONNECTED') this.#state.renewal?.tryNow();
      if (this.isGone) this.#owner.noteResting(this);
    },
    onKept: (link) => this.#owner.noteKept(link),
  };
  readonly #owner: ConnectorOwner;
  readonly #pauses: Pauses;
  /** All connections that are not closed: the current one, and those that drain. */
  readonly #links = new Set<ClientLink>();
  #state: ConnectorState = { at: 'IDLE' };
  readonly history = new DialHistory();
  /** Whether the address is no longer one of the client's. */
  #isLeaving = false;

  constructor(server: ServerAddress, owner: ConnectorOwner, pauses: Pauses) {
    this.server = server;
    this.#owner = owner;
    this.#pauses = pauses;
  }

  get at(): ConnectorState['at'] {
    return this.#state.at;
  }

  /** The connection for new calls. */
  get link(): ClientLink | undefined {
    return this.#state.at === 'CONNECTED' ? this.#state.link : undefined;
  }

  /** All connections that are not closed. */
  get links(): Iterable<ClientLink> {
    return this.#links;
  }

  /** The number of the running dial; Infinity if there is none. */
  get dialNumber(): number {
    return this.#state.at === 'DIALING' ? this.#state.number : Infinity;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Whether the address has vanished and its last connection has ended. */
  get isGone(): boolean {
    return this.#state.at === 'GONE' && this.#links.size === 0;
  }

  counts(): ServerCounts {
    const isResting = this.#state.at === 'PAUSED' && !this.#owner.keepsDialing(this);
    const state = isResting ? 'idle' : SHOWN_STATES[this.#state.at];
    return countServer(this.server.name, state, [...this.#links], this.history.failures);
  }

  /** Dials, unless the connector is busy or there is no need to. */
  dial(): void {
    if (this.#state.at !== 'IDLE' && this.#state.at !== 'PAUSED') return;
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    const abort = new AbortController();
    this.#state = { at: 'DIALING', number: this.#owner.beginDial(), abort };
    this.#emit({ type: 'connecting' }); // listeners may call connect() or close()
    if (!abort.signal.aborted) void this.#dial(abort.signal);
  }

  /** Lets the address be dialed again, because the server is no longer connected under the other one. */
  forgetAlias(serverId?: string): void {
    if (this.#state.at !== 'ALIAS' || (serverId !== undefined && serverId !== this.#state.serverId)) return;
    this.#state = { at: 'IDLE' };
    if (this.#owner.keepsDialing(this)) this.dial();
    else this.#owner.noteResting(this);
  }

  /** Dials after a pause if there is a reason to. */
  wake(): void {
    if (this.#owner.keepsDialing(this)) this.#pauseOrRest();
  }

  /** Whether the connector is connected or about to be. */
  get isActive(): boolean {
    return this.counts().state === 'connecting' || this.#state.at === 'CONNECTED';
  }

  /** Ends dials and pauses because the client closes. */
  stop(): void {
    endState(this.#state);
    this.#state = this.#isLeaving ? { at: 'GONE' } : { at: 'IDLE' };
    this.history.reset();
  }

  /**
   * Leaves the address, which is no longer one of the client's: running calls finish. The last connection of a client
   * takes calls, and is renewed, until there is another one.
   */
  leave(): void {
    this.#isLeaving = true;
    const { link } = this;
    if (link !== undefined && !this.#owner.hasOther(this)) return;
    const wasDialing = this.#state.at === 'DIALING';
    endState(this.#state);
    if (link !== undefined) return this.#leave(link, { type: 'draining' }, () => link.connection.vacate());
    this.#rest();
    if (wasDialing) this.#emit({ type: 'disconnected', error: undefined });
  }

  /** Moves the calls that were not sealed on connections that drain: new calls no longer go to their server. */
  vacate(): void {
    for (const { connection } of this.#links) if (!connection.isOpen) connection.vacate();
  }

  /** Dials. Never rejects: an event reports the failure, and waiting calls may fail with it. */
  async #dial(signal: AbortSignal, isRenewal = false): Promise<void> {
    try {
      const link = await this.#owner.open(this, signal, this.#linkEvents);
      link.throwUnlessOpen(); // a connection that has ended meanwhile emits no further event
      this.#links.add(link);
      if (isRenewal || this.#owner.hasOther(this)) await prove(link);
      this.#adopt(link, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #renew(old: ClientLink): void {
    const state = this.#state;
    if (state.at !== 'CONNECTED' || state.link !== old || state.renewal !== undefined) return;
    const renewal = new Renewal({
      dial: (signal) => void this.#dial(signal, true),
      drainingCount: () => this.#links.size - 1,
      pauses: this.#pauses,
    });
    this.#state = { ...state, renewal };
    renewal.tryNow();
  }

  #adopt(link: ClientLink, signal: AbortSignal): void {
    if (signal.aborted) return void link.connection.close();
    const before = this.#state;
    if (before.at !== 'CONNECTED' && this.#owner.isAlias(this, link)) {
      this.#state = { at: 'ALIAS', serverId: link.serverId };
      this.#noteInstance(link.serverId);
      void link.connection.close();
      this.#owner.noteAlias(this);
      this.#emit({ type: 'disconnected', error: undefined });
      return;
    }
    const replaced = before.at === 'CONNECTED' ? before.link : undefined;
    this.history.noteOpened(replaced !== undefined);
    this.#state = { at: 'CONNECTED', link, renewal: undefined };
    this.#noteInstance(link.serverId);
    if (replaced?.serverId === link.serverId) link.takeEventsOf(replaced);
    this.#owner.noteOpened(this, link, replaced);
    replaced?.connection.retire();
    if (this.link !== link) return; // a listener of another event has closed the client
    this.#emit({ type: replaced === undefined ? 'connected' : 'renewed' });
    if (link.isOutdated) this.#renew(link); // the primary key has changed since the dial began
  }

  #noteInstance(serverId: string | undefined): void {
    const left = this.history.noteInstance(serverId);
    if (left !== undefined) this.#owner.noteInstanceLeft(left);
  }

  #fail(error: unknown): void {
    if (this.#state.at === 'CONNECTED') {
      const retryInMs = this.#state.renewal?.noteFailed();
      if (retryInMs !== undefined) this.#emit({ type: 'renewalFailed', error, retryInMs });
      return;
    }
    this.history.noteFailed(error);
    this.#state = { at: 'IDLE' };
    this.#owner.noteFailed(this);
    this.#emit({ type: 'failed', error, retryInMs: this.#pauseOrRest() });
  }

  /** @param move - Fails the calls that may move to another connection. */
  #leave(link: ClientLink, event: ConnectorEvent, move?: () => void): void {
    if (this.#state.at !== 'CONNECTED' || this.#state.link !== link) return;
    const renewal = this.#state.renewal?.end();
    const isRevoked = event.type === 'disconnected' && event.error?.code === 'ERR_KEY_REVOKED';
    const abort = renewal ?? (isRevoked && !this.#isLeaving ? new AbortController() : undefined);
    if (abort === undefined) this.#state = { at: 'IDLE' };
    else this.#state = { at: 'DIALING', number: this.#owner.beginDial(), abort };
    if (event.type === 'disconnected') this.history.noteLost();
    this.#owner.noteLeft(this, link, event.type === 'disconnected');
    if (abort === undefined) this.#pauseOrRest();
    if (event.type === 'draining') this.vacate();
    move?.();
    this.#owner.noteMoved(this);
    this.#emit(event);
    if (abort?.signal.aborted === false) this.#emit({ type: 'connecting' });
    if (renewal === undefined && abort?.signal.aborted === false) void this.#dial(abort.signal);
  }

  /** @returns The pause before the next dial; undefined if only the next call dials. */
  #pauseOrRest(): number | undefined {
    if (this.#state.at !== 'IDLE') return undefined; // a caller that was resumed has dialed already
    const keepsDialing = this.#owner.keepsDialing(this);
    if (this.#isLeaving || (!keepsDialing && this.#owner.isSingle())) {
      this.#rest();
      return undefined;
    }
    const delayMs = this.history.pauseMs(this.#pauses);
    // The hope for a server does not keep a process alive; calls that wait for it have timers.
    const timer = clock
      .setTimeout(() => {
        if (this.#owner.keepsDialing(this)) this.dial();
        else this.#rest(); // the waiting calls have timed out
      }, delayMs)
      .unref();
    this.#state = { at: 'PAUSED', timer };
    return keepsDialing ? delayMs : undefined;
  }

  #rest(): void {
    this.#state = this.#isLeaving ? { at: 'GONE' } : { at: 'IDLE' };
    if (this.#isLeaving) this.#noteInstance(undefined);
    this.#owner.noteResting(this);
  }

  #emit(event: ConnectorEvent): void {
    this.#owner.emit({ ...event, server: this.server.name });
  }
}
