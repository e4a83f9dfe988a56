// The server's way to an open connection (docs/protocol.md §4): message 1, message 2; the connection then waits for CONFIRM.
import type { Socket } from 'node:net';

import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import { ALERT, checkMessage1Prefix, ephemeralOf, MESSAGE_1_BYTES } from '../handshake/index.js';
import type { Session } from '../handshake/index.js';
import { receiveFrom, stopReceiving } from './socket-reader.js';

export interface AcceptanceOptions {
  readonly socket: Socket;
  readonly handshakeTimeoutMs: number;
  /** @throws {TransportError} Whatever is wrong with message 1. */
  readonly respond: (message1: Buffer) => { readonly message2: Buffer; readonly session: Session };
  /** Message 2 is on its way: the socket has a new owner from this call on. `ephemeral` is e_I of message 1, a view. */
  readonly accepted: (session: Session, ephemeral: Buffer, leftMs: number) => void;
  readonly failed: (error: TransportError, receivedBytes: number) => void;
}

/** A socket from accept to message 2. It holds at most the bytes of message 1, and answers a failure with the one alert. */
export class Acceptance {
  readonly #options: AcceptanceOptions;
  readonly #deadline: Deadline;
  #received: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(options: AcceptanceOptions) {
    const { socket, handshakeTimeoutMs } = options;
    this.#options = options;
    this.#deadline = new Deadline(handshakeTimeoutMs, () => this.#expire());
    receiveFrom(socket, this.#onData);
    socket.on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => this.#receive(chunk);
  readonly #onError = (cause: Error): void =>
    this.#fail(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause }));
  readonly #onEnd = (): void => this.#fail(new TransportError('ERR_TRUNCATED', 'The client left during the handshake'));

  /** Whether any byte of message 1 has come. */
  get hasBegun(): boolean {
    return this.#received.length > 0;
  }

  /** Others need its place. */
  evict(): void {
    this.#fail(new TransportError('ERR_STRANGER_EVICTED', 'Too many connections that have not proved the key'));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#received = Buffer.concat([this.#received, chunk]);
      checkMessage1Prefix(this.#received);
      if (this.#received.length === MESSAGE_1_BYTES) this.#respond();
    } catch (error) {
      this.#fail(toTransportError(error));
    }
  }

  #respond(): void {
    const { socket, respond, accepted } = this.#options;
    const { message2, session } = respond(this.#received);
    this.#release();
    socket.write(message2);
    accepted(session, ephemeralOf(this.#received), this.#deadline.leftMs);
  }

  #expire(): void {
    this.#fail(new TransportError('ERR_HANDSHAKE_TIMEOUT', 'No message 1 in time'));
  }

  /** Every failure looks the same from outside, so that it tells a stranger nothing. */
  #fail(error: TransportError): void {
    if (this.#isOver) return;
    const { socket, failed } = this.#options;
    this.#release();
    socket.on('error', () => undefined); // what still comes of the socket changes nothing
    socket.end(ALERT, () => socket.destroy());
    failed(error, this.#received.length);
  }

  /** Takes its own listeners off the socket, and leaves those of users who heard of it by the event `connection`. */
  #release(): void {
    const { socket } = this.#options;
    this.#isOver = true;
    this.#deadline.clear();
    stopReceiving(socket, this.#onData);
    socket.off('error', this.#onError).off('end', this.#onEnd).off('close', this.#onEnd);
  }
}
