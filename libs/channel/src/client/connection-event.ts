import type { TransportError } from '../errors.js';

export type ClientConnectionEvent =
  | { readonly type: 'connecting' }
  /** @property retryInMs - Undefined: the next call tries again. */
  | { readonly type: 'failed'; readonly error: unknown; readonly retryInMs: number | undefined }
  | { readonly type: 'connected' }
  /** The connection was old, and a fresh one has taken its place: running calls finish on the old one. */
  | { readonly type: 'renewed' }
  /** No fresh connection could take the place of the old one, which goes on. */
  | { readonly type: 'renewalFailed'; readonly error: unknown; readonly retryInMs: number }
  /**
   * The server asks to move or closes, or the connection is used up: new calls take another one, running calls finish if
   * they still can. It is the last event of this connection: only the calls on it end with what happens to it after that.
   */
  | { readonly type: 'draining' }
  /** @property error - Why the connection was lost; undefined after `close()`, also of a client that still connected. */
  | { readonly type: 'disconnected'; readonly error: TransportError | undefined }
  /**
   * An event of `emit()` did not reach a handler, or may not have: `sent` of a `TransportError` says which. It comes
   * whether or not anybody has subscribed to what `emit()` returned, once for each event.
   */
  | { readonly type: 'eventFailed'; readonly pattern: unknown; readonly error: unknown };
