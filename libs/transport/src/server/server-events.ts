import type { Socket } from 'node:net';

import type { TransportError } from '@sealwire/channel';

import type { SealwirePeer } from '../handler/context.js';

/** Events of the listening `net.Server`. */
export type SealwireServerEvents = {
  /** Fires when the server accepts connections. */
  listening: () => void;
  /** Fires when a client has connected, before it is authenticated. */
  connection: (socket: Socket) => void;
  /** Fires when the listener failed. */
  error: (error: Error) => void;
  /** Fires when the listener and all its connections are closed. */
  close: () => void;
};

/** An event of a connection. `address` is `address:port`; undefined on a Unix domain socket. */
export type ServerConnectionEvent =
  /** Anyone who can reach the port can cause any number of these. */
  | { readonly type: 'refused'; readonly address: string | undefined; readonly error: TransportError }
  | ({ readonly type: 'opened' } & SealwirePeer)
  | ({
      readonly type: 'closed';
      /** The reason for a loss; undefined if both sides agreed to close. */
      readonly error: TransportError | undefined;
    } & SealwirePeer);

/** Whether there is a listener (server) or an open connection (client). */
export type SealwireStatus = 'connected' | 'disconnected';
