// A listening socket, its strangers and its connections.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import type { KeyDescription, KeysChange, KeySource } from '@sealwire/crypto';

import { clock } from '../clock.js';
import type { Connection } from '../connection/connection.js';
import { keyRevoked, TransportError } from '../errors.js';
import { remoteAddress, SOCKET_OPTIONS } from '../options/endpoint.js';
import { findDescription, watchKeys } from '../keys/key-source-check.js';
import type { Limits } from '../options/limits.js';
import { shareReadBuffer } from '../socket/socket-reader.js';
import type { Listening } from './listener-slot.js';
import { SeenKeys } from './seen-keys.js';
import { ServerHandshake } from './server-handshake.js';
import type { AuthenticatedClient, Reply } from './server-handshake.js';
import type { Peer } from './server-link.js';
import { networkOf, Strangers } from './strangers.js';
import type { Stranger, StrangerProgress } from './strangers.js';

/** How long the strangers of one network may exceed their limit, so that they can send message 1. */
const TIME_TO_SPEAK_MS = 1_000;

export interface HandshakeFailure {
  readonly error: TransportError;
  readonly address: string | undefined;
  /** 0 for a probe of the port. */
  readonly receivedBytes: number;
}

/** An open connection and its client. */
export interface Guest {
  readonly connection: Connection;
  readonly peer: Peer;
}

/** The events of a connection for its listener. */
export interface ListenerEvents {
  /**
   * Fires before all other events of the connection, so that a `close()` of the server in one of them closes it too.
   */
  onOpened(guest: Guest): void;
  onClosed(guest: Guest): void;
}

export interface ListenerOptions {
  readonly limits: Limits;
  readonly keys: KeySource;
  /** Whether accepted sockets read into the shared buffer of the process. */
  readonly shareReadBuffer: boolean;
  /** @throws {TransportError} Message 1 was refused. */
  readonly respond: (message1: Buffer) => Reply;
  /** Creates the connection that owns `socket` and calls `events`. */
  readonly connect: (socket: Socket, accepted: AuthenticatedClient, events: ListenerEvents) => Connection;
  readonly onHandshakeFailed: (failure: HandshakeFailure) => void;
}

export class Listener implements Listening, ListenerEvents {
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #strangers: Strangers;
  readonly #seenKeys: SeenKeys;
  readonly #guests = new Set<Guest>();
  #stopWatchingKeys: (() => void) | undefined;
  #isTrimming = false;

  /** @throws {TransportError} `ERR_BAD_OPTION` - `keys.onChange` does not return a function; any error of it. */
  constructor(options: ListenerOptions) {
    const { maxStrangers, maxStrangersPerAddress, handshakeMs } = options.limits;
    this.#options = options;
    this.#strangers = new Strangers(maxStrangers, maxStrangersPerAddress);
    this.#seenKeys = new SeenKeys(handshakeMs);
    this.server = createServer(SOCKET_OPTIONS, (socket) => this.#accept(socket));
    this.#stopWatchingKeys = watchKeys(options.keys, (change) => this.#onKeysChanged(change));
  }

  /** The number of clients that are not authenticated yet. */
  get strangerCount(): number {
    return this.#strangers.count;
  }

  async endClients(): Promise<void> {
    this.#strangers.evictAll();
    await Promise.all([...this.#guests].map(({ connection }) => connection.close()));
    this.#stopWatchingKeys?.(); // not earlier: a key may be revoked while its connections drain
    this.#stopWatchingKeys = undefined;
  }

  onOpened(guest: Guest): void {
    this.#guests.add(guest);
  }

  onClosed(guest: Guest): void {
    this.#guests.delete(guest);
  }

  /** Destroys the connections of revoked keys, and drains those of removed keys. */
  #onKeysChanged({ added, removed, revoked, updated }: KeysChange): void {
    for (const { connection, peer } of this.#guestsWith(revoked)) connection.destroy(keyRevoked(peer.keyId));
    for (const { connection } of this.#guestsWith(removed)) void connection.close();
    // A key that was removed and added again may have other patterns, and connections that drain.
    for (const { peer } of this.#guestsWith([...updated, ...added])) {
      const holder = findDescription(this.#options.keys, Buffer.from(peer.keyId, 'hex'));
      if (holder !== undefined) peer.describe(holder);
    }
  }

  #guestsWith(keyIds: readonly string[]): readonly Guest[] {
    return keyIds.length === 0 ? [] : [...this.#guests].filter(({ peer }) => keyIds.includes(peer.keyId));
  }

  #findHolder(keyId: Buffer): KeyDescription {
    const holder = findDescription(this.#options.keys, keyId);
    if (holder !== undefined) return holder;
    throw new TransportError(
      'ERR_UNKNOWN_KEY',
      `Key ${keyId.toString('hex')} can no longer be used: it was removed, revoked or retired, or has expired`,
    );
  }

  #accept(socket: Socket): void {
    const { limits, respond, connect } = this.#options;
    if (this.#options.shareReadBuffer) shareReadBuffer(socket);
    const caller = new PendingClient(socket);
    const handshake = new ServerHandshake({
      socket,
      handshakeTimeoutMs: limits.handshakeMs,
      respond,
      findHolder: (keyId) => this.#findHolder(keyId),
      onMessage2Sent: (ephemeral) => {
        const progress = this.#seenKeys.add(ephemeral, clock.nowMs()) ? 'silent' : 'verified';
        caller.progressOf = () => progress;
      },
      onAuthenticated: (accepted, rest) => {
        this.#strangers.delete(caller);
        const isFull = this.#guests.size >= limits.maxConnections;
        const connection = connect(socket, accepted, this);
        if (isFull) connection.turnAway();
        connection.receive(rest);
      },
      onFailed: (error, receivedBytes) => {
        this.#strangers.delete(caller);
        this.#options.onHandshakeFailed({ error, address: caller.address, receivedBytes });
      },
    });
    caller.evict = () => handshake.evict();
    caller.progressOf = () => (handshake.hasBegun ? 'begun' : 'silent');
    if (this.#strangers.add(caller)) this.#trimLater();
  }

  /**
   * Waits first: many honest clients may connect at the same time, and are accepted before their message 1 arrives or
   * is read.
   */
  #trimLater(): void {
    if (this.#isTrimming) return;
    this.#isTrimming = true;
    const trim = (): void => {
      this.#isTrimming = false;
      this.#strangers.trim();
    };
    clock.setTimeout(() => clock.setImmediate(trim), TIME_TO_SPEAK_MS).unref();
  }
}

/** A client from accept to the verified CONFIRM. */
class PendingClient implements Stranger {
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
