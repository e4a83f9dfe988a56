import type { Socket } from 'node:net';

import { Connection } from '../connection/connection.js';
import type { ConnectionEvents } from '../connection/connection-options.js';
import type { TransportError } from '../errors.js';
import { instanceIdOf } from '../handshake/index.js';
import { remoteAddress } from '../options/endpoint.js';
import type { Limits } from '../options/limits.js';
import { SocketView } from '../socket/socket-view.js';
import type { EventWindow } from '../streams/event-window.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { ServerStreams } from '../streams/server-streams.js';
import type { ListenerEvents } from './listener.js';
import type { AuthenticatedClient } from './server-handshake.js';

/** The client of a connection, as the server sees it. */
export interface PeerInfo {
  readonly socket: SocketView;
  /** `address:port`; undefined on a Unix domain socket. A copy, because a destroyed socket has no address. */
  readonly address: string | undefined;
  /** 16 hexadecimal digits. */
  readonly keyId: string;
}

export interface ServerLinkOptions<Handler extends StreamHandler> {
  readonly limits: Limits;
  readonly keepSealedRecord: boolean;
  /** Creates the handler of one connection. @param window - The events of this client that were passed on already. */
  readonly createHandler: (peer: PeerInfo, window: EventWindow) => Handler;
}

/** A client that has proved the key, with its socket. */
export interface Arrival {
  readonly socket: Socket;
  readonly client: AuthenticatedClient;
  readonly window: EventWindow;
  readonly listener: ListenerEvents;
}

export interface ServerLinkEvents<Handler extends StreamHandler> {
  /** Fires once. @param error - Undefined if both sides agreed to close. */
  onClosed(link: ServerLink<Handler>, error: TransportError | undefined): void;
}

/** A connection of a server from the verified CONFIRM on, its streams, and their handler. */
export class ServerLink<Handler extends StreamHandler> implements ConnectionEvents {
  readonly connection: Connection;
  readonly streams: ServerStreams;
  readonly handler: Handler;
  readonly peer: PeerInfo;
  /** The proved instance key of the client as a latin1 string, for maps. */
  readonly instance: string;
  readonly #events: ServerLinkEvents<Handler>;
  readonly #listener: ListenerEvents;

  /** Takes ownership of the socket. */
  constructor(arrival: Arrival, options: ServerLinkOptions<Handler>, events: ServerLinkEvents<Handler>) {
    const { socket, client, window, listener } = arrival;
    const { codec, announcement, instanceKey, keyId } = client;
    const { limits } = options;
    this.#events = events;
    this.#listener = listener;
    this.instance = instanceKey.toString('latin1');
    this.peer = { socket: new SocketView(socket), address: remoteAddress(socket), keyId: keyId.toString('hex') };
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

  /** 32 hexadecimal digits that name the client object, only for logs. */
  get instanceId(): string {
    return instanceIdOf(Buffer.from(this.instance, 'latin1')).toString('hex');
  }

  onClosed(error: TransportError | undefined): void {
    this.#events.onClosed(this, error);
    this.#listener.onClosed(this.connection);
  }
}
