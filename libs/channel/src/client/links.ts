import type { Traffic } from '../connection/traffic-counter.js';
import type { ClientStream } from '../streams/client-stream.js';
import type { ClientLink } from './client-link.js';

/** The state of the connections of a client. */
export interface LinkCounts extends Traffic {
  readonly state: 'idle' | 'connecting' | 'connected';
  /** Open connections, including those that drain. */
  readonly connections: number;
  /** Requests and events that hold a slot of the server. */
  readonly inFlight: number;
  /** Calls that wait for a connection or for a slot of the server. */
  readonly waiting: number;
}

/** The connections of a client. A {@link Connector} has one for new calls; a pool would have several. */
export interface Links {
  /** An open connection, whichever it is; undefined if there is none, so that a call has to wait. */
  readonly open: ClientLink | undefined;
  /**
   * Returns the connection for a new call; undefined if there is none and the call has to use {@link connect}.
   *
   * @param except - Server instance ids (`ClientLink.serverId`) that the call does not go to.
   */
  pick(kind: ClientStream['kind'], except?: ReadonlySet<string>): ClientLink | undefined;
  /**
   * Returns a connection for a new call of this kind, and dials if there is none. Rejects with the error of the dial, if
   * the wait for a connection times out, or with the reason of `signal`. Waiting calls of one kind resume in FIFO order.
   */
  connect(kind: ClientStream['kind'], signal?: AbortSignal): Promise<ClientLink>;
  counts(): LinkCounts;
  /** Ends all answers of several values with `ERR_CLIENT_CLOSED`, because they may never end by themselves. */
  endSeries(): void;
  /**
   * Closes all connections after running calls have finished, at the latest after `drainMs`. Does not wait for the
   * peer's CLOSE if nothing is running. `connect` may be called again. Never rejects.
   */
  close(drainMs: number): Promise<void>;
}
