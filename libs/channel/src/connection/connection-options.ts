import type { Socket } from 'node:net';

import type { TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { Streams } from '../streams/streams.js';
import type { ConnectionCodec } from './codec.js';

export interface ConnectionEvents {
  /**
   * The session has reached its soft age, or its keys are used up: another connection should take its place. It comes once
   * or more, also of a connection that drains. Without this listener the connection retires by itself.
   */
  onAged?(): void;
  /** One of the two, once, before the end: no new streams here. What is lost while it is open does not go away first. */
  onGoingAway?(): void;
  onLost?(error: TransportError | undefined): void;
  /** Once, at the very end. Without an error both sides agreed to close. */
  onClosed(error: TransportError | undefined): void;
}

/** A client begins with CONFIRM, whose body this is; a server has verified that of its client. */
type Role = { readonly role: 'client'; readonly confirm: Buffer } | { readonly role: 'server' };

export type ConnectionOptions = Role & {
  readonly socket: Socket;
  readonly codec: ConnectionCodec;
  readonly streams: Streams;
  readonly limits: Limits;
  readonly events: ConnectionEvents;
};
