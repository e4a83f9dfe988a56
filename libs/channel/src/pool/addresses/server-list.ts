import type { ClientLink } from '../../client/client-link.js';
import type { ServerCounts } from '../../client/links.js';
import { clock } from '../../clock.js';
import { MAX_SERVERS } from '../../options/servers.js';
import type { Servers } from '../../options/servers.js';
import { Origin } from './origin.js';
import type { OriginOptions } from './origin.js';
import type { FailedDial } from '../round.js';
import type { ServerConnector } from '../connector/server-connector.js';

export interface ServerListOptions extends Servers, Omit<OriginOptions, 'room' | 'onChanged' | 'connectionsPerServer'> {
  /** The time between two resolutions of the names; Infinity: only reconnects resolve them. */
  readonly resolveMs: number;
  /** Called when addresses were added or have left. @param added - The connectors of new addresses. */
  readonly onChanged: (added: readonly ServerConnector[]) => void;
}

/** The connectors of all servers of a client. */
export class ServerList {
  readonly #origins: readonly Origin[];
  readonly #resolveMs: number;
  #all: readonly ServerConnector[];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ServerListOptions) {
    const { endpoints, resolveMs, onChanged } = options;
    this.#resolveMs = resolveMs;
    const room = (): number => MAX_SERVERS - this.#origins.reduce((sum, { addressCount }) => sum + addressCount, 0);
    const change = (added: readonly ServerConnector[]): void => {
      this.dropGone();
      onChanged(added);
    };
    this.#origins = endpoints.map((endpoint) => new Origin(endpoint, { ...options, room, onChanged: change }));
    this.#all = this.#origins.flatMap(({ connectors }) => connectors);
  }

  get all(): readonly ServerConnector[] {
    return this.#all;
  }

  /** Returns the connectors of addresses that led to this server instance when they answered last. */
  of(serverId: string): readonly ServerConnector[] {
    return this.#all.filter((connector) => connector.history.serverId === serverId);
  }

  /** Returns whether the server of this connection is connected under another address. */
  hasOther({ server: { name } }: ServerConnector, { serverId }: ClientLink): boolean {
    return this.#all.some(
      ({ link, server, isLeaving }) => link?.serverId === serverId && !isLeaving && server.name !== name,
    );
  }

  /** Returns the last failed dial of each server, that of `last` at the end. */
  failuresWith(last: ServerConnector): readonly FailedDial[] {
    const others = this.#all.filter((other) => other !== last && other.history.lastError !== undefined);
    return [...others, last].map(({ server, history }) => ({ server: server.name, error: history.lastError }));
  }

  /** The number of the oldest dial that is running; Infinity if there is none. */
  get oldestDial(): number {
    return Math.min(...this.#all.map(({ dialNumber }) => dialNumber));
  }

  /** All connections that are not closed. */
  get links(): readonly ClientLink[] {
    return this.#all.flatMap(({ links }) => [...links]);
  }

  /** The number of dials that are running. */
  get dialing(): number {
    return this.#all.filter(({ at }) => at === 'DIALING').length;
  }

  /** Forgets addresses that have vanished and no longer have a connection. */
  dropGone(): void {
    for (const origin of this.#origins) origin.dropGone();
    this.#all = this.#origins.flatMap(({ connectors }) => connectors);
  }

  /** Begins to resolve names at regular times, as long as the client is in use. The timer keeps no process alive. */
  keepResolving(): void {
    if (this.#timer !== undefined || this.#resolveMs === Infinity || !this.#origins.some(({ isName }) => isName))
      return;
    const resolve = (): void => {
      this.#timer = undefined;
      if (this.#all.every(({ at }) => at === 'IDLE')) return;
      for (const origin of this.#origins) origin.refresh();
      this.keepResolving();
    };
    this.#timer = clock.setTimeout(resolve, this.#resolveMs).unref();
  }

  /** Ends resolutions because the client closes. */
  stop(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const origin of this.#origins) origin.stop();
  }

  /** Returns the state of each server; its connections count as one. */
  counts(): readonly ServerCounts[] {
    const byName = new Map<string, ServerCounts>();
    for (const connector of this.#all) {
      const counts = connector.counts();
      const known = byName.get(counts.server);
      byName.set(counts.server, known === undefined ? counts : merge(known, counts));
    }
    return [...byName.values()];
  }
}

const ORDER: readonly ServerCounts['state'][] = ['connected', 'connecting', 'draining', 'duplicate', 'idle'];

function merge(one: ServerCounts, other: ServerCounts): ServerCounts {
  return {
    server: one.server,
    state: ORDER.find((state) => state === one.state || state === other.state) ?? one.state,
    connections: one.connections + other.connections,
    inFlight: one.inFlight + other.inFlight,
    failures: Math.max(one.failures, other.failures),
  };
}
