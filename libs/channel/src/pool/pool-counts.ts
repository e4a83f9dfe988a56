import type { ClientLink } from '../client/client-link.js';
import type { LinkCounts, ServerCounts } from '../client/links.js';
import type { Traffic } from '../connection/traffic-counter.js';

export interface CountedPool {
  readonly isOpen: boolean;
  readonly servers: readonly ServerCounts[];
  readonly links: readonly ClientLink[];
  /** Calls that wait outside of the connections. */
  readonly waiting: number;
  readonly traffic: Traffic;
}

/** Returns the state of the connections of a client. */
export function countPool({ isOpen, servers, links, waiting, traffic }: CountedPool): LinkCounts {
  return {
    state: stateOf(isOpen, servers),
    servers,
    connections: servers.reduce((sum, { connections }) => sum + connections, 0),
    inFlight: servers.reduce((sum, { inFlight }) => sum + inFlight, 0),
    waiting: links.reduce((sum, { streams }) => sum + streams.queuedCount, waiting),
    ...traffic,
  };
}

function stateOf(isOpen: boolean, servers: readonly ServerCounts[]): LinkCounts['state'] {
  if (isOpen) return 'connected';
  return servers.some(({ state }) => state === 'connecting') ? 'connecting' : 'idle';
}
