import type { Traffic } from '../connection/traffic-counter.js';
import type { ClientStream } from '../streams/client-stream.js';
import type { ClientLink } from './client-link.js';

/** The state of one server of a client. */
export interface ServerCounts {
  /** Its address, as errors and events name it: `server:8080`, or `server:8080 (172.18.0.3)`. */
  readonly server: string;
  /**
   * `duplicate`: the same server is connected under another address. `draining`: the server's name no longer
   * resolves to this address; running calls can finish.
   */
  readonly state: 'idle' | 'connecting' | 'connected' | 'duplicate' | 'draining';
  /** Open connections, including those that drain. */
  readonly connections: number;
  /** Requests and events that hold a slot of the server. */
  readonly inFlight: number;
  /** Attempts to connect that have failed since the last one that succeeded. */
  readonly failures: number;
}

/** The state of the connections of a client. */
export interface LinkCounts extends Traffic {
  /** `connected` if at least one server is. */
  readonly state: 'idle' | 'connecting' | 'connected';
  readonly servers: readonly ServerCounts[];
  /** Open connections, including those that drain. */
  readonly connections: number;
  /** Requests and events that hold a slot of the server. */
  readonly inFlight: number;
  /** Calls that wait for a connection or for a slot of the server. */
  readonly waiting: number;
}

/** The connections of a client to its servers. */
export interface Links {
  /** An open connection, whichever it is; undefined if there is none, so that a call has to wait. */
  readonly open: ClientLink | undefined;
  /** All open connections. */
  readonly all: readonly ClientLink[];
  /** The number of times that {@link close} has ended connections: a call that was made before it opens none afterwards. */
  readonly closes: number;
  /**
   * Returns the connection for a new call; undefined if there is none and the call has to use {@link connect}.
   *
   * @param except - Server instance ids (`ClientLink.serverId`) that the call does not go to.
   */
  pick(kind: ClientStream['kind'], except?: ReadonlySet<string>): ClientLink | undefined;
  /**
   * Returns a connection for a new call of this kind, and dials if there is none. Rejects with the error of the dial, if
   * the wait for a connection times out, or with the reason of `signal`. Waiting calls of one kind resume in FIFO order.
   *
   * @param hasPlace - Whether another queue has accepted the call, so that `maxQueuedMessages` does not apply.
   */
  connect(kind: ClientStream['kind'], signal?: AbortSignal, hasPlace?: boolean): Promise<ClientLink>;
  counts(): LinkCounts;
  /** Ends all answers of several values with `ERR_CLIENT_CLOSED`, because such an answer may otherwise never end. */
  endSeries(): void;
  /**
   * Closes all connections after running calls have finished, at the latest after `drainMs`. Does not wait for the
   * peer's CLOSE if nothing is running. `connect` may be called again. Never rejects.
   */
  close(drainMs: number): Promise<void>;
}
