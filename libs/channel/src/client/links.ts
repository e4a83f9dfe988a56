import type { Traffic } from '../connection/traffic-counter.js';
import type { ClientLink } from './client-link.js';

/** How the connections of a client are doing. */
export interface LinkCounts extends Traffic {
  readonly state: 'idle' | 'connecting' | 'connected';
  /** Open ones, those that drain included. */
  readonly connections: number;
  /** Requests and events that hold a place at the server. */
  readonly inFlight: number;
  /** Calls that wait for a connection, or for a place at the server. */
  readonly waiting: number;
}

/** All that a client needs of its connections: a {@link Connector} has one for new calls, a pool would have several. */
export interface Links {
  /** The connection for one more call; undefined if there is none, and the call has to wait for {@link connect}. */
  pick(): ClientLink | undefined;
  /**
   * A connection for new calls, dialed if there is none. Rejects as the dial does, if no connection came in time, and with
   * the reason of `signal` if that ends the wait. Calls resume in the order in which they came.
   */
  connect(signal?: AbortSignal): Promise<ClientLink>;
  counts(): LinkCounts;
  /** The client closes: answers of many values, which may never end, fail with `ERR_CLIENT_CLOSED`. */
  endSeries(): void;
  /**
   * Lets what is running finish, up to `drainMs`; the answer to CLOSE is not waited for if nothing runs. `connect` may be
   * called again. Never rejects.
   */
  close(drainMs: number): Promise<void>;
}
