// Opens a connection as a server (docs/protocol.md §4): message 1, message 2, CONFIRM.
import type { Socket } from 'node:net';

import type { KeyDescription } from '@sealwire/crypto';

import type { ConnectionCodec } from '../connection/codec.js';
import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import {
  ALERT,
  checkConfirmPrefix,
  checkMessage1Prefix,
  CONFIRM_RECORD_BYTES,
  ephemeralOf,
  MESSAGE_1_BYTES,
} from '../handshake/index.js';
import type { ConfirmedClient, ConfirmVerifier } from '../handshake/index.js';
import { LENGTH_BYTES } from '../record/record.js';
import { disownSocket, ownSocket } from '../socket/socket-reader.js';
import type { SocketOwner } from '../socket/socket-reader.js';

/** The answer to message 1, and the objects that open and verify CONFIRM. */
export interface Reply {
  readonly message2: Buffer;
  readonly keyId: Buffer;
  readonly codec: ConnectionCodec;
  readonly verifier: ConfirmVerifier;
}

/** A client whose CONFIRM was verified, with the codec of its connection. */
export interface AuthenticatedClient extends ConfirmedClient {
  readonly keyId: Buffer;
  readonly holder: KeyDescription;
  /** It has opened CONFIRM; the next record is the second one. */
  readonly codec: ConnectionCodec;
}

export interface ServerHandshakeOptions {
  readonly socket: Socket;
  readonly handshakeTimeoutMs: number;
  /** @throws {TransportError} Message 1 was refused. */
  readonly respond: (message1: Buffer) => Reply;
  /**
   * Returns the description of the key when CONFIRM has arrived, because the key may have been removed since message 1.
   *
   * @throws {TransportError} `ERR_UNKNOWN_KEY` - the key was removed; `ERR_BAD_OPTION`, or any error of the source.
   */
  readonly findHolder: (keyId: Buffer) => KeyDescription;
  /** Fires when message 2 was sent. `ephemeral` is e_I of message 1, a view. */
  readonly onMessage2Sent: (ephemeral: Buffer) => void;
  /**
   * Fires when CONFIRM was verified, and passes on the socket. `rest` has the bytes after CONFIRM and must not be kept.
   */
  readonly onAuthenticated: (accepted: AuthenticatedClient, rest: Buffer) => void;
  readonly onFailed: (error: TransportError, receivedBytes: number) => void;
}

type State =
  { readonly at: 'MESSAGE_1' } | { readonly at: 'WAIT_CONFIRM'; readonly reply: Reply } | { readonly at: 'OVER' };

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * The handshake of an accepted socket up to the verified CONFIRM. It holds at most message 1, then at most CONFIRM.
 * CONFIRM is verified as soon as its last byte is read, so that no further bytes are kept for a stranger.
 */
export class ServerHandshake implements SocketOwner {
  readonly #options: ServerHandshakeOptions;
  readonly #deadline: Deadline;
  #state: State = { at: 'MESSAGE_1' };
  /** The part of the expected message that has arrived. */
  #received: Buffer = NOTHING;
  #receivedBytes = 0;

  constructor(options: ServerHandshakeOptions) {
    const { socket, handshakeTimeoutMs } = options;
    this.#options = options;
    this.#deadline = new Deadline(handshakeTimeoutMs, () => {
      const awaited = this.#state.at === 'MESSAGE_1' ? 'message 1' : 'CONFIRM';
      this.#fail(
        new TransportError(
          'ERR_HANDSHAKE_TIMEOUT',
          `Handshake timed out: the client did not send ${awaited} within ${handshakeTimeoutMs} ms`,
        ),
      );
    });
    ownSocket(socket, this);
  }

  /** Whether any byte of message 1 has arrived. */
  get hasBegun(): boolean {
    return this.#receivedBytes > 0;
  }

  /** Ends the handshake to make room for another stranger. */
  evict(): void {
    this.#fail(
      new TransportError(
        'ERR_STRANGER_EVICTED',
        'The connection was closed to make room: too many connections are not authenticated yet',
      ),
    );
  }

  receiveFin(): void {
    this.#fail(new TransportError('ERR_TRUNCATED', 'The client closed the connection during the handshake'));
  }

  onSocketLost(cause?: Error): void {
    if (cause === undefined) this.receiveFin();
    else this.#fail(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause }));
  }

  receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    try {
      if (this.#state.at === 'MESSAGE_1') this.#receiveMessage1(chunk);
      else if (this.#state.at === 'WAIT_CONFIRM') this.#receiveConfirm(this.#state.reply, chunk);
    } catch (error) {
      this.#fail(toTransportError(error));
    }
  }

  #receiveMessage1(chunk: Buffer): void {
    const { socket, respond, onMessage2Sent: answered } = this.#options;
    this.#received = Buffer.concat([this.#received, chunk]);
    checkMessage1Prefix(this.#received);
    if (this.#received.length < MESSAGE_1_BYTES) return;
    const message1 = this.#received;
    const reply = respond(message1);
    this.#received = NOTHING;
    this.#state = { at: 'WAIT_CONFIRM', reply };
    socket.write(reply.message2);
    answered(ephemeralOf(message1));
  }

  #receiveConfirm(reply: Reply, chunk: Buffer): void {
    const missing = CONFIRM_RECORD_BYTES - this.#received.length;
    this.#received = Buffer.concat([this.#received, chunk.subarray(0, missing)]);
    checkConfirmPrefix(this.#received);
    if (this.#received.length < CONFIRM_RECORD_BYTES) return;
    const { codec, keyId, verifier } = reply;
    const content = codec.deserializer.deserialize(this.#received.subarray(LENGTH_BYTES));
    if (content.type !== 'CONFIRM') {
      throw new TransportError(
        'ERR_RECORD_UNEXPECTED',
        `Unexpected ${content.type}: expected CONFIRM as the first record`,
      );
    }
    const holder = this.#options.findHolder(keyId);
    const client = verifier.verify(content.body);
    this.#release();
    this.#options.onAuthenticated({ ...client, keyId, holder, codec }, chunk.subarray(missing));
  }

  /**
   * Ends the handshake. All failures look the same, so that they reveal nothing to a stranger: the alert, or silence
   * after message 2.
   */
  #fail(error: TransportError): void {
    const state = this.#state;
    if (state.at === 'OVER') return;
    const { socket, onFailed: failed } = this.#options;
    this.#release();
    socket.on('error', () => undefined); // later errors of the socket do not matter
    if (state.at === 'MESSAGE_1') socket.end(ALERT, () => socket.destroy());
    else {
      const { codec, verifier } = state.reply;
      codec.serializer.wipe();
      codec.deserializer.wipe();
      verifier.drop();
      socket.destroy();
    }
    failed(error, this.#receivedBytes);
  }

  /** Removes its own listeners from the socket, and keeps those that users added on the event `connection`. */
  #release(): void {
    this.#state = { at: 'OVER' };
    this.#deadline.clear();
    disownSocket(this.#options.socket);
  }
}
