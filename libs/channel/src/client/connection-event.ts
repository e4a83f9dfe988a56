import type { TransportError } from '../errors.js';

/**
 * A change of a connection. `server` is the address of the server that it concerns: `server:8080`, or
 * `server:8080 (172.18.0.3)`.
 */
export type ClientConnectionEvent =
  | { readonly type: 'connecting'; readonly server: string }
  /** `retryInMs` is undefined if only the next call dials again. */
  | {
      readonly type: 'failed';
      readonly server: string;
      readonly error: unknown;
      readonly retryInMs: number | undefined;
    }
  | { readonly type: 'connected'; readonly server: string }
  /** A new connection has replaced an old one. Running calls finish on the old one. */
  | { readonly type: 'renewed'; readonly server: string }
  /** The old connection could not be replaced yet and stays in use. */
  | { readonly type: 'renewalFailed'; readonly server: string; readonly error: unknown; readonly retryInMs: number }
  /**
   * The server has asked the client to move to a new connection or is closing, the stream ids have run out, or the name
   * no longer resolves to this address. New calls use another connection, and running calls finish if they can. This is
   * the last event of the connection: a later loss only fails its calls.
   */
  | { readonly type: 'draining'; readonly server: string }
  /**
   * `error` is the reason for a loss. It is undefined after `close()` (even if the client was still connecting), and
   * also if the server is already connected under another address.
   */
  | { readonly type: 'disconnected'; readonly server: string; readonly error: TransportError | undefined }
  /**
   * An event of `emit()` did not reach a handler, or may not have reached one: see `sent` of the `TransportError`.
   * Fires once for each such event, whether or not the caller subscribed to the result of `emit()`.
   */
  | { readonly type: 'eventFailed'; readonly pattern: unknown; readonly error: unknown };
