import type { ClientLink } from '../client/client-link.js';
import type { ClientConnectionEvent } from '../client/connection-event.js';
import type { Limits } from '../options/limits.js';
import type { Servers } from '../options/servers.js';
import type { KeptEvents } from './kept-events.js';
import type { OpenLink } from './addresses/origin.js';

export interface PoolOptions {
  readonly servers: Servers;
  readonly open: OpenLink;
  readonly limits: Pick<Limits, 'redial' | 'waitForConnectionMs' | 'maxQueuedMessages' | 'connectMs' | 'resolveMs'>;
  readonly emit: (event: ClientConnectionEvent) => void;
  /** Default: none. */
  readonly kept?: KeptEvents;
  /** Called with each connection before its event is emitted. */
  readonly onOpened?: (link: ClientLink) => void;
}
