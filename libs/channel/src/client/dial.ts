// Opens a connection as a client (docs/protocol.md §4): connect, message 1, message 2, under one deadline.
import type { Socket } from 'node:net';

import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import { abandonInitiator, expectedReplyBytes, receiveMessage2, startInitiator } from '../handshake/index.js';
import type { ClientSession, InitiatorOptions, InitiatorState, PskOfKey } from '../handshake/index.js';
import type { ServerAddress } from '../pool/addresses/server-address.js';
import { connectSocket, disownSocket, ownSocket } from '../socket/socket-reader.js';
import type { SocketOwner } from '../socket/socket-reader.js';
import { connectFailed } from './connect-failed.js';

export interface DialOptions {
  readonly server: ServerAddress;
  readonly key: PskOfKey;
  readonly handshake: InitiatorOptions;
  /** Of the whole dial, for the texts of errors. */
  readonly connectTimeoutMs: number;
  /** The part of it that is left. */
  readonly leftMs: number;
  /** Whether the socket reads into the shared buffer of the process. */
  readonly shareReadBuffer: boolean;
  /** Aborts the dial. */
  readonly signal: AbortSignal;
}

export interface Dialed {
  /** Has no listeners: the new owner adds its own in the same turn. */
  readonly socket: Socket;
  readonly session: ClientSession;
}

/**
 * Connects and runs the handshake.
 *
 * @param open - Takes ownership of the socket in the turn in which message 2 arrived, so that it receives the next
 *   bytes.
 * @throws {TransportError} `ERR_CONNECT_FAILED`, `ERR_CONNECT_TIMEOUT`, `ERR_HANDSHAKE_TIMEOUT`; `ERR_ALERT` if the
 *   server has another key or service name, or is busy; `ERR_CLIENT_CLOSED` after `signal`; the errors of
 *   `receiveMessage2`.
 */
export function dial<T>(options: DialOptions, open: (dialed: Dialed) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const onDone = (dialed: Dialed): void => resolve(open(dialed));
    const outcome = { onDone, onFailed: reject };
    const onLate = (): void => new ClientHandshake(options, outcome).start();
    new ClientHandshake(options, { ...outcome, onLate }).start();
  });
}

interface Outcome {
  readonly onDone: (dialed: Dialed) => void;
  readonly onFailed: (error: TransportError) => void;
  /**
   * Fires when this process stalled, so that the server has probably given up the handshake: one more attempt is fair.
   */
  readonly onLate?: () => void;
}

class ClientHandshake implements SocketOwner {
  readonly #options: DialOptions;
  readonly #outcome: Outcome;
  readonly #socket: Socket;
  readonly #deadline: Deadline;
  /** Undefined until the socket is connected. */
  #state: InitiatorState | undefined;
  #received: Buffer = Buffer.alloc(0);

  constructor(options: DialOptions, outcome: Outcome) {
    this.#options = options;
    this.#outcome = outcome;
    this.#socket = connectSocket(options.server.endpoint, options.shareReadBuffer);
    this.#deadline = new Deadline(options.leftMs, () => {
      const code = this.#state === undefined ? 'ERR_CONNECT_TIMEOUT' : 'ERR_HANDSHAKE_TIMEOUT';
      this.#fail(new TransportError(code, `${this.#where} did not answer within ${options.connectTimeoutMs} ms`));
    });
  }

  start(): void {
    ownSocket(this.#socket, this);
    this.#options.signal.addEventListener('abort', this.#abort);
    if (this.#options.signal.aborted) this.#abort();
    else this.#prepareMessage1();
  }

  readonly #abort = (): void => {
    this.#fail(
      new TransportError('ERR_CLIENT_CLOSED', 'The client was closed while it was connecting', { sent: false }),
    );
  };

  /**
   * Runs before the socket is connected, so that message 1 leaves immediately: a crowded server evicts silent clients
   * first.
   */
  #prepareMessage1(): void {
    try {
      const { state, message1 } = startInitiator(this.#options.key, this.#options.handshake);
      this.#socket.on('connect', () => {
        if (this.#beginAgainIfLate()) return;
        this.#state = state;
        this.#socket.write(message1);
      });
    } catch (error) {
      this.#fail(toTransportError(error)); // the system may have no randomness for a key pair
    }
  }

  receiveFin(): void {
    const message = `${this.#where} closed the connection during the handshake`;
    this.#failUnlessLate(new TransportError('ERR_CONNECT_FAILED', message));
  }

  onSocketLost(cause?: Error): void {
    if (cause === undefined) this.receiveFin();
    else this.#failUnlessLate(connectFailed(this.#where, cause));
  }

  receive(chunk: Buffer): void {
    if (this.#beginAgainIfLate()) return;
    try {
      this.#received = Buffer.concat([this.#received, chunk]);
      const expected = expectedReplyBytes(this.#received);
      if (expected === undefined || this.#received.length < expected) return;
      if (this.#received.length > expected) {
        throw new TransportError('ERR_EARLY_BYTES', 'The server sent bytes after message 2, before CONFIRM');
      }
      this.#succeed();
    } catch (error) {
      this.#fail(toTransportError(error));
    }
  }

  #succeed(): void {
    if (this.#state === undefined) throw new TransportError('ERR_EARLY_BYTES', 'The server replied before message 1');
    const session = receiveMessage2(this.#state, this.#received);
    this.#release();
    this.#outcome.onDone({ socket: this.#socket, session });
  }

  #failUnlessLate(error: TransportError): void {
    if (!this.#beginAgainIfLate()) this.#fail(error);
  }

  get #where(): string {
    return this.#options.server.name;
  }

  #beginAgainIfLate(): boolean {
    const { onLate } = this.#outcome;
    if (onLate === undefined || !this.#deadline.isLate) return false;
    this.#abandon();
    onLate();
    return true;
  }

  #fail(error: TransportError): void {
    this.#abandon();
    this.#outcome.onFailed(error.ofMessage(false));
  }

  #abandon(): void {
    this.#release();
    if (this.#state !== undefined) abandonInitiator(this.#state);
    this.#socket.on('error', () => undefined); // later errors of the socket do not matter
    this.#socket.destroy();
  }

  #release(): void {
    this.#deadline.clear();
    this.#options.signal.removeEventListener('abort', this.#abort);
    disownSocket(this.#socket);
    this.#socket.removeAllListeners();
  }
}
