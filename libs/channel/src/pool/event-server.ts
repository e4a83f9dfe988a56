import type { ClientLink } from '../client/client-link.js';
import type { OpenLinks } from './open-links.js';
import type { ServerConnector } from './server-connector.js';
import type { WaitingCalls } from './waiting-calls.js';

export interface EventServerOptions {
  readonly open: OpenLinks;
  readonly waiting: WaitingCalls;
  readonly all: () => readonly ServerConnector[];
}

/** The server that takes the events of a client until it leaves, so that their order holds. */
export class EventServer {
  readonly #options: EventServerOptions;
  #connector: ServerConnector | undefined;

  constructor(options: EventServerOptions) {
    this.#options = options;
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
    const { open, waiting, all } = this.#options;
    const link = open.leastBusy(undefined);
    this.#connector = link && all().find((connector) => connector.link === link);
    if (link !== undefined) waiting.resolve(link, 'EVENT');
  }
}
