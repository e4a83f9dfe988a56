// The server of the secure channel: one listener at a time, and its connections.
import type { Server, Socket } from 'node:net';

import { wipe } from '@sealwire/crypto';
import type { KeySource, KeysStatus } from '@sealwire/crypto';
import { guarded } from '@sealwire/crypto/internal';

import { clock } from '../clock.js';
import { checkCodec } from '../connection/codec.js';
import type { CodecFactory } from '../connection/codec.js';
import type { Connection } from '../connection/connection.js';
import {
  publishConnectionClosed,
  publishConnectionOpened,
  publishHandshakeDone,
  publishHandshakeFailed,
} from '../diagnostics.js';
import { toTransportError } from '../errors.js';
import type { TransportError } from '../errors.js';
import { respond } from '../handshake/index.js';
import { createInstanceId, forgetOwnServer, isOwnClient, noteOwnServer } from '../instances.js';
import type { Endpoint } from '../options/endpoint.js';
import type { ChannelKeys } from '../keys/channel-keys.js';
import { findPsk } from '../keys/key-source-check.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { EventWindows } from './event-windows.js';
import { Listener } from './listener.js';
import type { HandshakeFailure, ListenerEvents } from './listener.js';
import { ListenerSlot } from './listener-slot.js';
import type { AuthenticatedClient, Reply } from './server-handshake.js';
import { ServerLink } from './server-link.js';
import type { ServerLinkEvents, ServerLinkOptions } from './server-link.js';

/** The callbacks of a server. If one throws, the process emits a warning, and the server continues. */
export interface ChannelServerEvents<Handler extends StreamHandler> {
  readonly onStatusChanged: (status: 'connected' | 'disconnected') => void;
  /** Fires when the listening socket has an error. */
  readonly onFailed: (error: Error) => void;
  /** Fires when a handshake has failed after at least one byte; port probes send no bytes. */
  readonly onRefused: (failure: HandshakeFailure) => void;
  readonly onOpened: (link: ServerLink<Handler>) => void;
  /** Fires when a connection has ended. @param error - Undefined if both sides agreed to close. */
  readonly onClosed: (link: ServerLink<Handler>, error: TransportError | undefined) => void;
}

export interface ChannelServerOptions<Handler extends StreamHandler> extends ServerLinkOptions<Handler> {
  readonly endpoint: Endpoint;
  readonly service: string;
  readonly keys: ChannelKeys;
  readonly createCodec: CodecFactory;
  readonly rejectSelf: boolean;
  readonly shareReadBuffer: boolean;
  readonly events: Partial<ChannelServerEvents<Handler>>;
}

/** Listens for clients, authenticates them, and passes their requests and events to a {@link StreamHandler}. */
export class ChannelServer<Handler extends StreamHandler> implements ServerLinkEvents<Handler> {
  readonly #options: ChannelServerOptions<Handler>;
  readonly #events: ChannelServerEvents<Handler>;
  readonly #instanceId = createInstanceId();
  readonly #windows: EventWindows;
  readonly #links = new Set<ServerLink<Handler>>();
  readonly #slot: ListenerSlot<Listener>;

  constructor(options: ChannelServerOptions<Handler>) {
    this.#options = options;
    this.#windows = new EventWindows(options.limits.maxInFlight);
    const { events } = options;
    this.#events = {
      onStatusChanged: guarded('The callback onStatusChanged()', (status) => events.onStatusChanged?.(status)),
      onFailed: guarded('The callback onFailed()', (error) => events.onFailed?.(error)),
      onRefused: guarded('The callback onRefused()', (failure) => events.onRefused?.(failure)),
      onOpened: guarded('The callback onOpened()', (link) => events.onOpened?.(link)),
      onClosed: guarded('The callback onClosed()', (link, error) => events.onClosed?.(link, error)),
    };
    this.#slot = new ListenerSlot(this.#events);
  }

  /** The open connections, whose clients are authenticated. */
  get links(): ReadonlySet<ServerLink<Handler>> {
    return this.#links;
  }

  /** The current keys; undefined before the key file is loaded, and if a user-supplied source has no status. */
  get keys(): KeysStatus | undefined {
    return this.#options.keys.status;
  }

  /** The number of connections that are not authenticated yet. */
  get strangerCount(): number {
    return this.#slot.listener?.strangerCount ?? 0;
  }

  /**
   * The listening `net.Server`.
   *
   * @throws {TransportError} `ERR_NOT_CONNECTED` - before `listen`, after a failed one, and after `close`.
   */
  get server(): Server {
    return this.#slot.server;
  }

  /** Calls `subscribe` with the listening `net.Server`, and with every later one. */
  subscribe(subscribe: (emitter: NodeJS.EventEmitter) => void): void {
    this.#slot.subscribe(subscribe);
  }

  /**
   * @throws {TransportError} `ERR_LISTEN_FAILED`, also if `close` was called meanwhile; a `CryptoError` of the key
   *   file.
   */
  listen(): Promise<void> {
    return this.#slot.listen(async () => this.#createListener(await this.#options.keys.load()), this.#options.endpoint);
  }

  /** Sends GOAWAY on every connection, drains them, then sends CLOSE. May be called again; never rejects. */
  async close(): Promise<void> {
    forgetOwnServer(this.#instanceId);
    const endKeys = this.#options.keys.detach();
    await this.#slot.close();
    endKeys(); // not earlier: a key may be revoked while its connections drain
  }

  #createListener(keys: KeySource): Listener {
    const { limits, shareReadBuffer } = this.#options;
    noteOwnServer(this.#instanceId);
    return new Listener({
      limits,
      keys,
      shareReadBuffer,
      respond: (message1) => this.#respond(keys, message1),
      connect: (socket, accepted, listenerEvents) => this.#connect(socket, accepted, listenerEvents),
      onHandshakeFailed: (failure) => {
        if (failure.receivedBytes === 0) return;
        publishHandshakeFailed('server', { address: failure.address, keyId: undefined }, failure.error);
        this.#events.onRefused(failure);
      },
    });
  }

  #respond(keys: KeySource, message1: Buffer): Reply {
    const { limits, service, rejectSelf, createCodec } = this.#options;
    const { maxMessageBytes, maxInFlight, maxIncompleteBytes } = limits;
    const found = new FoundPsk(keys);
    const announcement = { unixMs: clock.unixMs(), maxMessageBytes, maxInFlight, maxIncompleteBytes };
    const options = {
      service,
      instanceId: this.#instanceId,
      announcement,
      ...(rejectSelf ? { rejectSelf: isOwnClient } : {}),
    };
    try {
      const { message2, session, verifier } = respond((keyId) => found.of(keyId), options, message1);
      try {
        const codec = checkCodec(createCodec(session, limits.key));
        return { message2, keyId: session.keyId, codec, verifier };
      } catch (error) {
        verifier.drop();
        wipe(session.outgoingKey, session.incomingKey);
        throw error;
      }
    } catch (error) {
      throw found.failure ?? error;
    } finally {
      found.wipe();
    }
  }

  #connect(socket: Socket, accepted: AuthenticatedClient, listener: ListenerEvents): Connection {
    const window = this.#windows.of(accepted.instanceKey.toString('latin1'));
    const link = new ServerLink({ socket, client: accepted, window, listener }, this.#options, this);
    listener.onOpened(link);
    this.#links.add(link);
    publishHandshakeDone('server', link.peer);
    publishConnectionOpened('server', link.peer, socket);
    this.#events.onOpened(link);
    return link.connection;
  }

  /** Called by each link when it has closed. */
  onClosed(link: ServerLink<Handler>, error: TransportError | undefined): void {
    this.#windows.release(link.instance);
    this.#links.delete(link);
    publishConnectionClosed('server', link.peer, link.connection.socket, error);
    this.#events.onClosed(link, error);
  }
}

/** The pre-shared key of one handshake. A source that fails has no key, so that a stranger can measure no difference. */
class FoundPsk {
  readonly #keys: KeySource;
  #psk: Uint8Array | undefined;
  /** The failure of the source, if it failed. */
  failure: TransportError | undefined;

  constructor(keys: KeySource) {
    this.#keys = keys;
  }

  of(keyId: Buffer): Uint8Array | undefined {
    try {
      this.#psk = findPsk(this.#keys, keyId);
    } catch (error) {
      this.failure = toTransportError(error);
    }
    return this.#psk;
  }

  wipe(): void {
    if (this.#psk !== undefined) wipe(this.#psk);
  }
}
