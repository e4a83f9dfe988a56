import type { Socket } from 'node:net';

import type { TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { Streams } from '../streams/streams.js';
import type { ConnectionCodec } from './codec.js';

export interface ConnectionEvents {
  /**
   * Fires when the session has reached its soft age, or its keys are used up: the connection should be replaced. May
   * fire again, also while the connection drains. Without this listener the connection retires automatically.
   */
  onAged?(): void;
  /**
   * Fires when the connection takes no new streams. Exactly one of `onGoingAway` and `onLost` fires, once, before
   * `onClosed`.
   *
   * @param move - Fails the streams that may open on another connection. Called after the listener, unless it does so.
   */
  onGoingAway?(move: () => void): void;
  /** Fires when an open connection is lost. */
  onLost?(error: TransportError | undefined): void;
  /** Fires once, at the very end; without an error if both sides agreed to close. */
  onClosed(error: TransportError | undefined): void;
}

/** A client starts with CONFIRM and needs its body; a server has already verified the CONFIRM of its client. */
type Role = { readonly role: 'client'; readonly confirm: Buffer } | { readonly role: 'server' };

export type ConnectionOptions = Role & {
  readonly socket: Socket;
  readonly codec: ConnectionCodec;
  readonly streams: Streams;
  readonly limits: Limits;
  readonly events: ConnectionEvents;
};
