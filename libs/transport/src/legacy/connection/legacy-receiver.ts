// The server side of the legacy wire (docs/protocol.md §9): it receives bytes until the FIN, and never sends one.
import type { Socket } from 'node:net';

import { TransportError } from '@sealwire/channel';
import { Deadline, toTransportError } from '@sealwire/channel/internal';
import type { Stranger } from '@sealwire/channel/internal';

import { CiphertextGatherer } from '../wire/message.js';

export interface LegacyReceiverOptions {
  readonly socket: Socket;
  /** The time from accept to the FIN. Received bytes do not extend it. */
  readonly connectionTimeoutMs: number;
  readonly onMessage: (ciphertext: Buffer) => void;
  readonly onFailure: (error: TransportError) => void;
}

/**
 * Receives one message, from accept to the closed socket. The message is handed over only after the socket is closed:
 * otherwise the way in which the connection ends could depend on the plaintext and be a padding oracle.
 */
export class LegacyReceiver implements Stranger {
  readonly network = undefined;
  readonly progress = 'silent'; // always, because this wire authenticates nothing: the oldest is evicted
  readonly #options: LegacyReceiverOptions;
  readonly #gatherer = new CiphertextGatherer();
  readonly #deadline: Deadline;
  #state: 'RECEIVING' | 'COMPLETE' | 'OVER' = 'RECEIVING';

  constructor(options: LegacyReceiverOptions) {
    const { socket, connectionTimeoutMs } = options;
    this.#options = options;
    this.#deadline = new Deadline(connectionTimeoutMs, () => {
      this.#fail(
        new TransportError(
          'ERR_LEGACY_TIMEOUT',
          `Message timed out: the client sent no FIN within ${connectionTimeoutMs} ms`,
        ),
      );
      socket.destroy(); // of a complete message as well
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#complete());
    socket.on('error', (cause) => this.#fail(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause })));
    socket.on('close', () => this.#closed());
  }

  /** Cuts an incomplete message. A complete one is still handed over. */
  evict(): void {
    this.#fail(
      new TransportError(
        'ERR_STRANGER_EVICTED',
        'The connection was cut to make room for a newer one, or because the server is closing',
      ),
    );
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'RECEIVING') return;
    try {
      this.#gatherer.push(chunk);
    } catch (error) {
      this.#fail(toTransportError(error));
    }
  }

  #complete(): void {
    if (this.#state !== 'RECEIVING') return;
    this.#state = 'COMPLETE';
    this.#options.socket.end();
  }

  #closed(): void {
    this.#deadline.clear();
    this.#fail(new TransportError('ERR_CONNECTION_LOST', 'The connection ended without a FIN'));
    if (this.#state !== 'COMPLETE') return;
    this.#state = 'OVER';
    this.#options.onMessage(this.#gatherer.take());
  }

  #fail(error: TransportError): void {
    if (this.#state !== 'RECEIVING') return;
    this.#state = 'OVER';
    this.#options.socket.destroy();
    this.#options.onFailure(error);
  }
}
