// The servers of one client. A request goes to the one with the fewest calls; events go to one server until it leaves,
// so that their order holds (docs/adr/0016).
import type { ClientLink } from '../client/client-link.js';
import type { LinkCounts, Links } from '../client/links.js';
import { clock } from '../clock.js';
import { TrafficCounter } from '../connection/traffic-counter.js';
import { TransportError } from '../errors.js';
import type { ClientStream } from '../streams/client-stream.js';
import { Burst } from './burst.js';
import { Dials } from './dials.js';
import { EventServer } from './event-server.js';
import { NO_KEPT_EVENTS, type KeptEvents } from './kept-events.js';
import { OpenLinks } from './open-links.js';
import type { OriginOptions } from './addresses/origin.js';
import { countPool } from './pool-counts.js';
import type { PoolOptions } from './pool-options.js';
import { noServerReached } from './round.js';
import type { ServerConnector } from './connector/server-connector.js';
import { ServerList } from './addresses/server-list.js';
import { StrandedEvents } from './stranded-events.js';
import { closed, WaitingCalls } from './waiting-calls.js';

type Kind = ClientStream['kind'];

export class Pool implements Links {
  readonly #options: PoolOptions;
  readonly #owner: OriginOptions['owner'] = {
    beginDial: () => this.#dials.begin(),
    isSingle: () => this.#servers.all.length === 1,
    hasOther: (connector) => this.#open.all.some((link) => link !== connector.link),
    keepsDialing: (connector) => this.#keepsDialing(connector),
    isAlias: (connector, link) => this.#servers.hasOther(connector, link),
    noteOpened: (connector, link, replaced) => this.#noteOpened(connector, link, replaced),
    noteLeft: (connector, link, isLost) => this.#noteLeft(connector, link, isLost),
    noteMoved: (connector) => this.#eventServer.endMove(connector),
    noteAlias: (connector) => {
      this.#eventServer.leave(connector);
      this.#burst.noteDialEnded();
    },
    noteFailed: (connector) => this.#noteFailed(connector),
    noteResting: () => this.#noteResting(),
    noteClosed: ({ connection }) => this.#traffic.addClosed(connection),
    noteKept: ({ serverId }) => this.#stranded.note(serverId),
    noteInstanceLeft: (serverId) => this.#stranded.giveUpIfGone(serverId),
    emit: (event) => this.#options.emit(event),
  };
  readonly #traffic = new TrafficCounter();
  readonly #waiting: WaitingCalls;
  readonly #open = new OpenLinks();
  readonly #burst: Burst;
  readonly #servers: ServerList;
  readonly #kept: KeptEvents;
  readonly #stranded: StrandedEvents;
  readonly #eventServer: EventServer;
  readonly #dials = new Dials(() => this.#servers);
  #closes = 0;
  /**
   * IDLE: no call has come since the last close, so that nothing is dialed. CLOSING: dials only for events that wait to
   * be sent again.
   */
  #use: 'IDLE' | 'IN_USE' | 'CLOSING' = 'IDLE';

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#waiting = new WaitingCalls(options.limits, this.#open);
    this.#burst = new Burst(this.#waiting, this.#open, () => this.#servers.dialing);
    this.#eventServer = new EventServer(this.#waiting, this.#open, () => this.#servers.all);
    this.#kept = options.kept ?? NO_KEPT_EVENTS;
    const { servers, open, limits } = options;
    this.#servers = new ServerList({
      ...servers,
      ...limits,
      open,
      pauses: limits.redial,
      owner: this.#owner,
      onChanged: (added) => this.#noteAddresses(added),
    });
    this.#stranded = new StrandedEvents(this.#kept, this.#servers, this.#open);
  }

  get open(): ClientLink | undefined {
    return this.#open.first;
  }

  get all(): readonly ClientLink[] {
    return this.#open.all;
  }

  get closes(): number {
    return this.#closes;
  }

  pick(kind: Kind, except?: ReadonlySet<string>): ClientLink | undefined {
    const { first } = this.#open;
    if (first === undefined) return undefined;
    if (this.#dials.isDue) this.#dials.startDue();
    if (kind === 'EVENT') {
      const { link, isMoving } = this.#eventServer;
      // A call that was refused cannot wait, and is followed by those that are refused after it.
      if (isMoving && (except === undefined || except.size === 0)) return undefined;
      if (link === undefined || except?.has(link.serverId) !== true) return link;
    } else if (this.#open.count === 1 && except === undefined) return first;
    return this.#open.leastBusy(except);
  }

  connect(kind: Kind, signal?: AbortSignal, hasPlace = false): Promise<ClientLink> {
    this.#use = 'IN_USE';
    const link = kind === 'REQUEST' && this.#burst.isWaiting ? undefined : this.pick(kind);
    if (link !== undefined) return Promise.resolve(link);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const wanted =
      this.#open.first === undefined ? this.#servers.all : kind === 'EVENT' ? [this.#eventServer.connector] : [];
    // Calls that may wait do so during the pauses of background dials.
    const waits = this.#waiting.arePatient && this.#open.first === undefined;
    const due = wanted.filter(
      (one) => one?.at === 'IDLE' || (one?.at === 'PAUSED' && !(waits && this.#keepsDialing(one))),
    );
    const opened = this.#waiting.add(kind, { lastDial: this.#dials.count + due.length, signal, hasPlace });
    this.#dials.start(due);
    return opened;
  }

  counts(): LinkCounts {
    const { links } = this.#servers;
    return countPool({
      isOpen: this.#open.first !== undefined,
      servers: this.#servers.counts(),
      links,
      waiting: this.#waiting.count + this.#kept.keptCount,
      traffic: this.#traffic.sum(links.map(({ connection }) => connection)),
    });
  }

  endSeries(): void {
    for (const { streams } of this.#servers.links)
      streams.endSeries(() => new TransportError('ERR_CLIENT_CLOSED', 'The client was closed'));
  }

  async close(drainMs = 0): Promise<void> {
    const endMs = clock.nowMs() + drainMs;
    const leftMs = (): number => Math.max(0, endMs - clock.nowMs());
    if (this.#kept.hasKept()) await this.#kept.whenNoneKept(leftMs());
    await this.#closeLinks(leftMs() > 0 ? 'CLOSING' : 'IDLE', leftMs());
    // A connection may be lost while it drains. Its events are sent again if there is time for another one.
    while (leftMs() > 0 && (this.#kept.hasKept() || this.#hasLeftover)) {
      await this.#kept.whenNoneKept(leftMs());
      if (this.#use === 'CLOSING') await this.#closeLinks('CLOSING', leftMs());
    }
    if (this.#hasLeftover) await this.#closeLinks('IDLE', 0);
    else if (this.#use === 'CLOSING') this.#use = 'IDLE';
    const cutOff = 'The client was closed before the server acknowledged the event';
    this.#kept.giveUpAll(new TransportError('ERR_CLIENT_CLOSED', cutOff));
  }

  /** Whether there is a connection, a dial or a pause again, only for events of a lost connection. */
  get #hasLeftover(): boolean {
    return this.#use === 'CLOSING' && this.#servers.all.some(({ at }) => at !== 'IDLE' && at !== 'GONE');
  }

  async #closeLinks(use: 'CLOSING' | 'IDLE', drainMs: number): Promise<void> {
    const active = this.#servers.all.filter(({ isActive }) => isActive); // before the use changes, which ends pauses
    this.#use = use; // before the events below, because their listeners may connect again
    this.#closes += 1;
    for (const connector of this.#servers.all) connector.stop();
    this.#servers.stop();
    this.#servers.dropGone();
    this.#open.clear();
    this.#eventServer.clear();
    this.#dials.stop();
    this.#burst.end();
    this.#waiting.reject(closed());
    for (const name of new Set(active.map(({ server }) => server.name)))
      this.#options.emit({ type: 'disconnected', server: name, error: undefined });
    const closings = this.#servers.links.map(async ({ connection }) => {
      const whenGone = connection.close(drainMs);
      if (!connection.hasSaidAll) await whenGone;
    });
    await Promise.all(closings);
  }

  #noteOpened(connector: ServerConnector, link: ClientLink, replaced: ClientLink | undefined): void {
    this.#open.add(link, replaced);
    const takesEvents = this.#eventServer.offer(connector);
    link.takeKept();
    for (const other of connector.links) if (other.serverId !== link.serverId) other.connection.vacate();
    if (replaced !== undefined && replaced.serverId !== link.serverId) this.#forgetAliases(replaced.serverId);
    this.#burst.startShare(link, takesEvents ? undefined : 'REQUEST');
    this.#noteResting();
    this.#options.onOpened?.(link);
    this.#stranded.move();
    for (const other of this.#servers.all) if (other.isLeaving && other !== connector) other.leave();
  }

  #noteLeft(connector: ServerConnector, link: ClientLink, isLost: boolean): void {
    this.#open.remove(link);
    this.#forgetAliases(link.serverId);
    if (isLost) return;
    // All connections to a server that leaves, so that a call does not use its attempts on one after the other.
    const others = connector.isLeaving ? [] : this.#open.all.filter(({ serverId }) => serverId === link.serverId);
    for (const { connection } of others) connection.vacate();
    this.#eventServer.beginMove(connector);
  }

  #noteFailed(connector: ServerConnector): void {
    this.#eventServer.leave(connector);
    if (this.#open.first !== undefined) {
      this.#burst.noteDialEnded();
      this.#stranded.move();
      return;
    }
    this.#waiting.dialFailed(noServerReached(this.#servers.failuresWith(connector)), this.#servers.oldestDial);
  }

  #noteResting(): void {
    this.#servers.dropGone();
    this.#eventServer.leaveIfGone();
    this.#burst.noteDialEnded();
    this.#dials.noteResting(this.#open.first !== undefined);
  }

  #noteAddresses(added: readonly ServerConnector[]): void {
    this.#forgetAliases();
    if (this.#use !== 'IN_USE') return;
    if (this.#waiting.count === 0 && this.#servers.all.every(({ at }) => at === 'IDLE')) return;
    this.#dials.start(added);
    if (this.#isStuck) this.#dials.start(this.#servers.all);
    this.#waiting.awaitDial(this.#dials.count);
  }

  /** Whether calls wait for a dial and none runs, because the last one was to an address that has vanished. */
  get #isStuck(): boolean {
    const needsDial = this.#open.first === undefined && !this.#waiting.arePatient;
    return needsDial && this.#waiting.count > 0 && this.#servers.dialing === 0;
  }

  /** Lets addresses be dialed again. @param serverId - Of which server; undefined: of any. */
  #forgetAliases(serverId?: string): void {
    for (const connector of this.#servers.all) connector.forgetAlias(serverId);
  }

  #keepsDialing(connector: ServerConnector): boolean {
    if (this.#use === 'IDLE') return false;
    if (connector.history.serverId !== undefined && this.#kept.hasKept(connector.history.serverId)) return true;
    if (this.#use === 'CLOSING') return false;
    const { redial } = this.#options.limits;
    const isAwaited =
      this.#waiting.count > 0 && (this.#open.first === undefined || connector === this.#eventServer.connector);
    return redial.inBackground || (isAwaited && this.#waiting.arePatient);
  }
}
