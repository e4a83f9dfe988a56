import type { Socket } from 'node:net';

import type { TransportError } from '@sealwire/channel';

import type { SealwirePeer } from '../handler/context.js';

/** Events of the listening `net.Server`. */
export type SealwireServerEvents = {
  listening: () => void;
  connection: (socket: Socket) => void;
  error: (error: Error) => void;
  close: () => void;
};

/** `address` is `address:port`, undefined on a Unix domain socket. */
export type ServerConnectionEvent =
  /** Anyone who can reach the port can cause any number of these. */
  | { readonly type: 'refused'; readonly address: string | undefined; readonly error: TransportError }
  | ({ readonly type: 'opened' } & SealwirePeer)
  | ({
      readonly type: 'closed';
      /** Undefined if both sides agreed to close. */
      readonly error: TransportError | undefined;
    } & SealwirePeer);

export type SealwireStatus = 'connected' | 'disconnected';
