import type { ClientLink } from '../client/client-link.js';
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
