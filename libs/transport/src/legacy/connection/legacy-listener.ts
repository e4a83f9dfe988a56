// The port of the legacy wire. Every connection stays unauthenticated; if there are too many, the oldest is evicted.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import type { TransportError } from '@sealwire/channel';
import { remoteAddress, SOCKET_OPTIONS, Strangers } from '@sealwire/channel/internal';
import type { Listening } from '@sealwire/channel/internal';

import { LegacyReceiver } from './legacy-receiver.js';

export interface LegacyListenerOptions {
  readonly maxConnections: number;
  readonly connectionTimeoutMs: number;
  readonly onMessage: (ciphertext: Buffer, address: string | undefined) => void;
  readonly onFailure: (error: TransportError, address: string | undefined) => void;
}

export class LegacyListener implements Listening {
  readonly server: Server;
  readonly #options: LegacyListenerOptions;
  readonly #receivers: Strangers;

  constructor(options: LegacyListenerOptions) {
    this.#options = options;
    this.#receivers = new Strangers(options.maxConnections, options.maxConnections);
    this.server = createServer(SOCKET_OPTIONS, (socket) => this.#accept(socket));
  }

  /** Cuts the connections with an incomplete message. */
  endClients(): void {
    this.#receivers.evictAll();
  }

  #accept(socket: Socket): void {
    const { connectionTimeoutMs, onMessage, onFailure } = this.#options;
    const address = remoteAddress(socket); // a closed socket has lost it
    const receiver = new LegacyReceiver({
      socket,
      connectionTimeoutMs,
      onMessage: (ciphertext) => onMessage(ciphertext, address),
      onFailure: (error) => onFailure(error, address),
    });
    this.#receivers.add(receiver);
    socket.on('close', () => this.#receivers.delete(receiver));
  }
}
