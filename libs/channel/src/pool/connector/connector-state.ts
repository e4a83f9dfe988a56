// The states of the connection to one server:
//
//   IDLE → DIALING → CONNECTED → IDLE
//             ↓ ↑         ↓
//            PAUSED ←─────┘        with `redial`, while a call waits for a connection, or next to other servers
//
// CONNECTED → CONNECTED is a renewal, which dials the next connection first. CONNECTED → DIALING: the old connection
// ended before the renewal was complete, or because its key was revoked. DIALING → ALIAS: the server is connected under
// another address. Every state leads to GONE if the address is no longer one of the client's.
import type { ClientLink } from '../../client/client-link.js';
import type { ServerCounts } from '../../client/links.js';
import { clock } from '../../clock.js';
import type { Renewal } from './renewal.js';

/** The state of a connector. ALIAS: the server is connected under another address. GONE: the address has vanished. */
export type ConnectorState =
  | { readonly at: 'IDLE' }
  | { readonly at: 'DIALING'; readonly number: number; readonly abort: AbortController }
  | { readonly at: 'PAUSED'; readonly timer: NodeJS.Timeout }
  | { readonly at: 'CONNECTED'; readonly link: ClientLink; readonly renewal: Renewal | undefined }
  | { readonly at: 'ALIAS'; readonly serverId: string }
  | { readonly at: 'GONE' };

/** The states as users see them. */
export const SHOWN_STATES = {
  IDLE: 'idle',
  DIALING: 'connecting',
  PAUSED: 'connecting',
  CONNECTED: 'connected',
  ALIAS: 'duplicate',
  GONE: 'draining',
} as const;

/** Ends the dial, the pause or the renewal of a state that is left. */
export function endState(state: ConnectorState): void {
  if (state.at === 'DIALING') state.abort.abort();
  if (state.at === 'PAUSED') clock.clearTimeout(state.timer);
  if (state.at === 'CONNECTED') state.renewal?.end()?.abort();
}

/** @param links - The connections that are not closed. */
export function countServer(
  server: string,
  state: ServerCounts['state'],
  links: readonly ClientLink[],
  failures: number,
): ServerCounts {
  return {
    server,
    state,
    connections: links.filter(({ connection }) => !connection.hasSaidAll).length,
    inFlight: links.reduce((sum, { streams }) => sum + streams.openCount, 0),
    failures,
  };
}
