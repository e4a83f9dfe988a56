import type { Socket } from 'node:net';

import type { Accepted } from '../connection/acceptance.js';
import { Connection } from '../connection/connection.js';
import type { ConnectionEvents } from '../connection/connection-options.js';
import { remoteAddress } from '../connection/endpoint.js';
import { SocketView } from '../connection/socket-view.js';
import type { EventWindow } from '../frame/event-window.js';
import { ServerStreams } from '../frame/server-streams.js';
import { instanceIdOf } from '../handshake/index.js';
import type { Limits } from '../limits.js';
import { Dispatcher } from './dispatcher.js';
import type { HandlerHost } from './handler-host.js';

/** A server's connection from the verified CONFIRM on, the streams on it, and who serves them. */
export interface ServerLink {
  readonly connection: Connection;
  readonly streams: ServerStreams;
  readonly dispatcher: Dispatcher;
  /** 16 hexadecimal digits. */
  readonly keyId: string;
  /** 32 hexadecimal digits that name the client object, for the log alone. */
  readonly instanceId: string;
}

export interface ServerLinkOptions {
  readonly socket: Socket;
  readonly accepted: Accepted;
  readonly limits: Limits;
  readonly host: HandlerHost;
  readonly window: EventWindow;
  readonly keepSealedRecord: boolean;
  readonly events: ConnectionEvents;
}

export function openServerLink(options: ServerLinkOptions): ServerLink {
  const { socket, limits, host, window, events } = options;
  const { codec, announcement: peer, instanceKey } = options.accepted;
  const keyId = options.accepted.keyId.toString('hex');
  const dispatcher = new Dispatcher({
    host,
    peer: { socket: new SocketView(socket), address: remoteAddress(socket), keyId },
    window,
    limits,
  });
  const streams = new ServerStreams({
    own: limits,
    peer,
    maxQueuedBytes: limits.maxQueuedBytes,
    handler: dispatcher,
    keepsSealedRecords: options.keepSealedRecord,
  });
  const connection = new Connection({ role: 'server', socket, codec, streams, limits, events });
  return { connection, streams, dispatcher, keyId, instanceId: instanceIdOf(instanceKey).toString('hex') };
}
