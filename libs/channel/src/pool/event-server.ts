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

  /** Notes a server that has connected. Returns whether it takes the events. */
  offer(connector: ServerConnector): boolean {
    this.#connector ??= connector;
    return this.#connector === connector;
  }

  /** Moves the events to another server if they are at this one. */
  leave(connector: ServerConnector): void {
    if (connector === this.#connector) this.#move();
  }

  leaveIfGone(): void {
    if (this.#connector?.at === 'GONE') this.#move();
  }

  clear(): void {
    this.#connector = undefined;
  }

  #move(): void {
    const link = this.#open.leastBusy(undefined);
    this.#connector = link && this.#all().find((connector) => connector.link === link);
    if (link !== undefined) this.#waiting.resolve(link, 'EVENT');
  }
}
