import type { Socket } from 'node:net';

import type { Accepted } from './acceptance.js';
import { Connection } from '../connection/connection.js';
import type { ConnectionEvents } from '../connection/connection-options.js';
import { remoteAddress } from '../options/endpoint.js';
import { SocketView } from '../socket/socket-view.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { ServerStreams } from '../streams/server-streams.js';
import { instanceIdOf } from '../handshake/index.js';
import type { Limits } from '../options/limits.js';

/** The client of a connection, as far as its server knows it. */
export interface PeerInfo {
  readonly socket: SocketView;
  /** `address:port`; undefined on a Unix domain socket. Kept: the socket forgets it when it is destroyed. */
  readonly address: string | undefined;
  /** 16 hexadecimal digits. */
  readonly keyId: string;
}

/** A server's connection from the verified CONFIRM on, the streams on it, and their handler. */
export interface ServerLink<Handler extends StreamHandler> {
  readonly connection: Connection;
  readonly streams: ServerStreams;
  readonly handler: Handler;
  readonly peer: PeerInfo;
  /** 32 hexadecimal digits that name the client object, for the log alone. */
  readonly instanceId: string;
}

export interface ServerLinkOptions<Handler extends StreamHandler> {
  readonly socket: Socket;
  readonly accepted: Accepted;
  readonly limits: Limits;
  readonly createHandler: (peer: PeerInfo) => Handler;
  readonly keepSealedRecord: boolean;
  readonly events: ConnectionEvents;
}

export function openServerLink<Handler extends StreamHandler>(
  options: ServerLinkOptions<Handler>,
): ServerLink<Handler> {
  const { socket, limits, events } = options;
  const { codec, announcement, instanceKey, keyId } = options.accepted;
  const peer = { socket: new SocketView(socket), address: remoteAddress(socket), keyId: keyId.toString('hex') };
  const handler = options.createHandler(peer);
  const streams = new ServerStreams({
    own: limits,
    peer: announcement,
    maxQueuedBytes: limits.maxQueuedBytes,
    handler,
    keepsSealedRecords: options.keepSealedRecord,
  });
  const connection = new Connection({ role: 'server', socket, codec, streams, limits, events });
  return { connection, streams, handler, peer, instanceId: instanceIdOf(instanceKey).toString('hex') };
}
