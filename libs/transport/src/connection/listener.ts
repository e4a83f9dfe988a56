// A listening socket and everything that has come through it: strangers first, then connections.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { clock } from '../clock.js';
import { TransportError } from '../errors.js';
import type { Session } from '../handshake/index.js';
import type { Limits } from '../limits.js';
import { Acceptance } from './acceptance.js';
import type { Connection, ConnectionEvents } from './connection.js';
import { remoteAddress, SOCKET_OPTIONS } from './endpoint.js';
import type { Endpoint } from './endpoint.js';
import type { Listening } from './listener-slot.js';
import { SeenKeys } from './seen-keys.js';
import { shareReadBuffer } from './socket-reader.js';
import { startListening } from './start-listening.js';
import { networkOf, Strangers } from './strangers.js';
import type { Stranger, StrangerProgress } from './strangers.js';

/** How long the strangers of one network may be too many. */
const TIME_TO_SPEAK_MS = 1_000;

export interface HandshakeFailure {
  readonly error: TransportError;
  readonly address: string | undefined;
  /** 0: somebody looked whether the port is open, and left. */
  readonly receivedBytes: number;
}

export interface ListenerOptions {
  readonly limits: Limits;
  /** Whether accepted sockets read into the buffer that all sockets of the process share. */
  readonly shareReadBuffer: boolean;
  /** @throws {TransportError} Whatever is wrong with message 1. */
  readonly respond: (message1: Buffer) => { readonly message2: Buffer; readonly session: Session };
  /** Makes the connection that takes `socket` over; it calls `events`. */
  readonly connect: (
    socket: Socket,
    session: Session,
    events: ConnectionEvents,
    confirmTimeoutMs: number,
  ) => Connection;
  readonly handshakeFailed: (failure: HandshakeFailure) => void;
}

export class Listener implements Listening {
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #strangers: Strangers;
  readonly #seenKeys: SeenKeys;
  readonly #connections = new Set<Connection>();
  #starting: Promise<void> = Promise.resolve();
  #isTrimming = false;

  constructor(options: ListenerOptions) {
    const { maxStrangers, maxStrangersPerAddress, handshakeTimeoutMs } = options.limits;
    this.#options = options;
    this.#strangers = new Strangers(maxStrangers, maxStrangersPerAddress);
    this.#seenKeys = new SeenKeys(handshakeTimeoutMs);
    this.server = createServer(SOCKET_OPTIONS, (socket) => this.#accept(socket));
  }

  /** Those who have not proved the key yet. */
  get strangerCount(): number {
    return this.#strangers.count;
  }

  /** @throws {TransportError} `ERR_LISTEN_FAILED`, for every reason there is. */
  listen(endpoint: Endpoint): Promise<void> {
    this.#starting = startListening(this.server, endpoint);
    return this.#starting;
  }

  /** Takes nobody in any more, and drains every connection. Never rejects. */
  async close(): Promise<void> {
    await this.#starting.catch(() => undefined); // a server that is closed while it binds is bound afterwards
    const closed = this.server.listening && new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#strangers.evictAll();
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    await closed;
  }

  #accept(socket: Socket): void {
    const { limits, respond } = this.#options;
    if (this.#options.shareReadBuffer) shareReadBuffer(socket);
    const caller = new Caller(socket);
    const acceptance = new Acceptance({
      socket,
      handshakeTimeoutMs: limits.handshakeTimeoutMs,
      respond,
      accepted: (session, ephemeral, leftMs) => {
        const progress = this.#seenKeys.add(ephemeral, clock.nowMs()) ? 'silent' : 'verified';
        caller.progressOf = () => progress;
        this.#connect(socket, session, caller, leftMs);
      },
      failed: (error, receivedBytes) => this.#fail(caller, error, receivedBytes),
    });
    caller.evict = () => acceptance.evict();
    caller.progressOf = () => (acceptance.hasBegun ? 'begun' : 'silent');
    if (this.#strangers.add(caller)) this.#trimLater();
  }

  /** A crowd of honest clients comes at once, and is accepted before what it sends is there, or is read. */
  #trimLater(): void {
    if (this.#isTrimming) return;
    this.#isTrimming = true;
    const trim = (): void => {
      this.#isTrimming = false;
      this.#strangers.trim();
    };
    clock.setTimeout(() => clock.setImmediate(trim), TIME_TO_SPEAK_MS).unref();
  }

  /** Message 1 can be a replay: until CONFIRM, whoever sent it is still a stranger. */
  #connect(socket: Socket, session: Session, caller: Caller, leftMs: number): void {
    const { limits, connect } = this.#options;
    const events: ConnectionEvents = {
      opened: () => {
        this.#strangers.delete(caller);
        const isFull = this.#connections.size >= limits.maxConnections;
        this.#connections.add(connection);
        if (isFull) connection.turnAway();
      },
      closed: (error) => {
        if (!this.#connections.delete(connection)) this.#fail(caller, error ?? left(), socket.bytesRead);
      },
    };
    const connection = connect(socket, session, events, leftMs);
    caller.evict = () =>
      connection.destroy(new TransportError('ERR_STRANGER_EVICTED', 'Too many connections without CONFIRM'));
  }

  #fail(caller: Caller, error: TransportError, receivedBytes: number): void {
    this.#strangers.delete(caller);
    this.#options.handshakeFailed({ error, address: caller.address, receivedBytes });
  }
}

/** One stranger from accept to CONFIRM, whoever owns its socket. */
class Caller implements Stranger {
  readonly network: string | undefined;
  readonly address: string | undefined;
  evict: () => void = () => undefined;
  progressOf: () => StrangerProgress = () => 'silent';

  constructor(socket: Socket) {
    this.address = remoteAddress(socket);
    this.network = socket.remoteAddress === undefined ? undefined : networkOf(socket.remoteAddress);
  }

  get progress(): StrangerProgress {
    return this.progressOf();
  }
}

function left(): TransportError {
  return new TransportError('ERR_TRUNCATED', 'The client left before CONFIRM');
}
