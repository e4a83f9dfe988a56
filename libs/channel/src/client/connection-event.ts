import type { TransportError } from '../errors.js';

/** @property server - The address that it is about: `server:8080`, or `server:8080 (172.18.0.3)`. */
export type ClientConnectionEvent =
  | { readonly type: 'connecting'; readonly server: string }
  /** @property retryInMs - Undefined if only the next call dials again. */
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
   * The server wants the client to move, or closes, or the stream ids have run out, or the address is no longer one of
   * the name. New calls use another connection, and running calls finish if they can. This is the last event of the connection: a later loss only fails its calls.
   */
  | { readonly type: 'draining'; readonly server: string }
  /** @property error - The reason of a loss; undefined after `close()`, even if the client was still connecting, and if the server
   *   is already connected under another address. */
  | { readonly type: 'disconnected'; readonly server: string; readonly error: TransportError | undefined }
  /**
   * An event of `emit()` did not reach a handler, or perhaps did not: see `sent` of the `TransportError`. Fires once
   * for each such event, whether or not the caller subscribed to the result of `emit()`.
   */
  | { readonly type: 'eventFailed'; readonly pattern: unknown; readonly error: unknown };
