import type { KeptEvents } from './kept-events.js';
import type { OpenLinks } from './open-links.js';
import type { ServerList } from './addresses/server-list.js';

/** The events of lost connections, each of which waits for the server process that may have it. */
export class StrandedEvents {
  readonly #kept: KeptEvents;
  readonly #servers: ServerList;
  readonly #open: OpenLinks;

  constructor(kept: KeptEvents, servers: ServerList, open: OpenLinks) {
    this.#kept = kept;
    this.#servers = servers;
    this.#open = open;
  }

  /** Notes that events wait for this server instance: its addresses are dialed. */
  note(serverId: string): void {
    for (const connector of this.#servers.of(serverId)) connector.wake();
    this.giveUpIfGone(serverId);
    this.move();
  }

  /** Fails the events of a server instance to which no address leads now. */
  giveUpIfGone(serverId: string): void {
    if (this.#servers.of(serverId).length === 0) this.#kept.giveUp(serverId);
  }

  /** Moves events that may run twice from servers that could not be reached again, if another one is connected. */
  move(): void {
    if (!this.#kept.hasKept() || this.#open.first === undefined) return;
    for (const {
      history: { serverId },
    } of this.#servers.all)
      if (serverId !== undefined && this.#servers.of(serverId).every(({ history }) => history.lastError !== undefined))
        this.#kept.moveRepeatable(serverId);
  }
}
