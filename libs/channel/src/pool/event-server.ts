import type { ClientLink } from '../client/client-link.js';
import type { OpenLinks } from './open-links.js';
import type { ServerConnector } from './connector/server-connector.js';
import type { WaitingCalls } from './waiting-calls.js';

/** The server that takes the events of a client until it leaves, so that their order holds. */
export class EventServer {
  readonly #waiting: WaitingCalls;
  readonly #open: OpenLinks;
  readonly #all: () => readonly ServerConnector[];
  #connector: ServerConnector | undefined;
  /** The server that leaves, while the events that wait there move. */
  #left: ServerConnector | undefined;

  /** @param all - Returns the connectors of all servers. */
  constructor(waiting: WaitingCalls, open: OpenLinks, all: () => readonly ServerConnector[]) {
    this.#waiting = waiting;
    this.#open = open;
    this.#all = all;
  }

  /** Undefined before the first connection, and after the server has left while no other one was connected. */
  get connector(): ServerConnector | undefined {
    return this.#connector;
  }

  /** Its connection. */
  get link(): ClientLink | undefined {
    return this.#connector?.link;
  }

  /** Whether events move to this server. New ones have to wait, so that they come after those. */
  get isMoving(): boolean {
    return this.#left !== undefined;
  }

  /** Notes a server that has connected. Returns whether it takes the events. */
  offer(connector: ServerConnector): boolean {
    this.#connector ??= connector;
    return this.#connector === connector;
  }

  /** Moves the events to another server if they are at this one: also those that wait on its draining connections. */
  leave(connector: ServerConnector): void {
    this.beginMove(connector);
    if (this.#left !== connector) return;
    if (this.link !== undefined) connector.vacate();
    this.endMove(connector);
  }

  leaveIfGone(): void {
    if (this.#connector?.at === 'GONE') this.leave(this.#connector);
  }

  /** Chooses another server if the events are at this one. Events wait until {@link endMove}. */
  beginMove(connector: ServerConnector): void {
    if (connector !== this.#connector) return;
    const link = this.#open.leastBusy(undefined);
    this.#left = connector;
    this.#connector = link && this.#all().find((other) => other.link === link);
  }

  /** Starts the events that wait. */
  endMove(connector: ServerConnector): void {
    if (connector !== this.#left) return;
    this.#left = undefined;
    const { link } = this;
    if (link !== undefined) this.#waiting.resolve(link, 'EVENT');
  }

  clear(): void {
    this.#connector = undefined;
    this.#left = undefined;
  }
}
