import type { Socket } from 'node:net';

import type { KeyDescription } from '@sealwire/crypto';
import { allowsPattern } from '@sealwire/crypto/internal';

import { Connection } from '../connection/connection.js';
import type { ConnectionEvents } from '../connection/connection-options.js';
import type { TransportError } from '../errors.js';
import { instanceIdOf } from '../handshake/index.js';
import { remoteAddress } from '../options/endpoint.js';
import type { Limits } from '../options/limits.js';
import { SocketView } from '../socket/socket-view.js';
import type { EventWindow } from '../streams/events/event-window.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { ServerStreams } from '../streams/server-streams.js';
import type { ListenerEvents } from './listener.js';
import type { AuthenticatedClient } from './server-handshake.js';

/** The client of a connection, as the server sees it. */
export interface PeerInfo {
  readonly socket: SocketView;
  /** `address:port`; undefined on a Unix domain socket. A copy, because a destroyed socket has no address. */
  readonly address: string | undefined;
  /** The id of the key, 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key now; undefined if it has none. */
  readonly label: string | undefined;
  /** 32 hexadecimal digits that name the client object. They prove nothing: use the key for permissions. */
  readonly instanceId: string;
}

/** The client of a connection, and the description of its key, which the operator may change meanwhile. */
export class Peer implements PeerInfo {
  readonly socket: SocketView;
  readonly address: string | undefined;
  readonly keyId: string;
  readonly #instanceKey: Buffer;
  #holder: KeyDescription;

  constructor(
    socket: Socket,
    { keyId, holder, instanceKey }: Pick<AuthenticatedClient, 'keyId' | 'holder' | 'instanceKey'>,
  ) {
    this.socket = new SocketView(socket);
    this.address = remoteAddress(socket);
    this.keyId = keyId.toString('hex');
    this.#instanceKey = instanceKey;
    this.#holder = holder;
  }

  get label(): string | undefined {
    return this.#holder.label;
  }

  get instanceId(): string {
    return instanceIdOf(this.#instanceKey).toString('hex');
  }

  /** Returns whether the holder of the key may call a pattern, given as its route. */
  allows(route: string): boolean {
    return allowsPattern(this.#holder.patterns, route);
  }

  /** Replaces the description of the key, from the next message on. */
  describe(holder: KeyDescription): void {
    this.#holder = holder;
  }
}

export interface ServerLinkOptions<Handler extends StreamHandler> {
  readonly limits: Limits;
  readonly keepSealedRecord: boolean;
  /** Creates the handler of one connection. @param window - The events of this client that were passed on already. */
  readonly createHandler: (peer: Peer, window: EventWindow) => Handler;
}

/** A client that has proved that it has the key, with its socket. */
export interface Arrival {
  readonly socket: Socket;
  readonly client: AuthenticatedClient;
  readonly window: EventWindow;
  readonly listener: ListenerEvents;
}

export interface ServerLinkEvents<Handler extends StreamHandler> {
  /** Fires once, when the connection has ended. @param error - Undefined if both sides agreed to close. */
  onClosed(link: ServerLink<Handler>, error: TransportError | undefined): void;
}

/** An authenticated connection of a server (after CONFIRM was verified), with its streams and their handler. */
export class ServerLink<Handler extends StreamHandler> implements ConnectionEvents {
  readonly connection: Connection;
  readonly streams: ServerStreams;
  readonly handler: Handler;
  readonly peer: Peer;
  /** The verified instance key of the client as a latin1 string, for maps. */
  readonly instance: string;
  readonly #events: ServerLinkEvents<Handler>;
  readonly #listener: ListenerEvents;

  /** Takes ownership of the socket. */
  constructor(arrival: Arrival, options: ServerLinkOptions<Handler>, events: ServerLinkEvents<Handler>) {
    const { socket, client, window, listener } = arrival;
    const { codec, announcement, instanceKey } = client;
    const { limits } = options;
    this.#events = events;
    this.#listener = listener;
    this.instance = instanceKey.toString('latin1');
    this.peer = new Peer(socket, client);
    this.handler = options.createHandler(this.peer, window);
    this.streams = new ServerStreams({
      own: limits,
      peer: { maxMessageBytes: announcement.maxMessageBytes, maxIncompleteBytes: announcement.maxIncompleteBytes },
      maxQueuedBytes: limits.maxQueuedBytes,
      handler: this.handler,
      keepsSealedRecords: options.keepSealedRecord,
    });
    this.connection = new Connection({ role: 'server', socket, codec, streams: this.streams, limits, events: this });
  }

  onClosed(error: TransportError | undefined): void {
    this.#events.onClosed(this, error);
    this.#listener.onClosed(this);
  }
}
