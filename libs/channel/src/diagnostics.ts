// The channels of node:diagnostics_channel on which both ends publish their connections (docs/operations.md). Without a
// subscriber they cost nothing. Messages contain no keys and no error texts.
import { channel } from 'node:diagnostics_channel';

import { codeOf } from './errors.js';
import type { TransportErrorCode } from './errors.js';

type Side = 'client' | 'server';

export interface ObservedPeer {
  /** `address:port` of the other end, or the path of a Unix domain socket at a client. */
  readonly address: string | undefined;
  /** The id of the key, 16 hexadecimal digits; undefined before a server has verified a key. */
  readonly keyId: string | undefined;
  /** The label that a server has for this key; undefined at a client, and if the key has none. */
  readonly label?: string | undefined;
}

/** The message published on `sealwire:<side>:handshake:done` or `failed`. */
export interface HandshakeMessage extends ObservedPeer {
  readonly code: TransportErrorCode | undefined;
}

/**
 * The message published on `sealwire:<side>:connection:opened`. The same object, updated, is published again on
 * `closed`.
 */
export interface ConnectionMessage extends ObservedPeer {
  /** The sealed bytes on the wire so far, also while the connection is open. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The code of the failure; undefined if both ends agreed to close. */
  readonly code: TransportErrorCode | undefined;
}

/** The message published on `sealwire:server:call:forbidden`. */
export interface ForbiddenMessage extends ObservedPeer {
  readonly kind: 'request' | 'event';
  /** The pattern. A client chooses it, so the number of different patterns has no limit. */
  readonly pattern: string;
  /** 32 hexadecimal digits that name the client object. */
  readonly instanceId: string;
}

function channelsOf(side: Side) {
  return {
    handshakeDone: channel(`sealwire:${side}:handshake:done`),
    handshakeFailed: channel(`sealwire:${side}:handshake:failed`),
    connectionOpened: channel(`sealwire:${side}:connection:opened`),
    connectionClosed: channel(`sealwire:${side}:connection:closed`),
  };
}

const CHANNELS = { client: channelsOf('client'), server: channelsOf('server') };
const CALL_FORBIDDEN = channel('sealwire:server:call:forbidden');

/** The messages that were published for open connections. */
const OPENED = new WeakMap<Bytes, PublishedConnection>();

export function publishHandshakeDone(side: Side, peer: ObservedPeer): void {
  const { handshakeDone } = CHANNELS[side];
  if (handshakeDone.hasSubscribers) handshakeDone.publish(handshakeMessage(peer, undefined));
}

export function publishHandshakeFailed(side: Side, peer: ObservedPeer, error: unknown): void {
  const { handshakeFailed } = CHANNELS[side];
  if (handshakeFailed.hasSubscribers) handshakeFailed.publish(handshakeMessage(peer, error));
}

export function publishConnectionOpened(side: Side, peer: ObservedPeer, socket: Bytes): void {
  const { connectionOpened } = CHANNELS[side];
  if (!connectionOpened.hasSubscribers) return;
  const message = connectionMessage(peer, socket);
  OPENED.set(socket, message);
  connectionOpened.publish(message);
}

export function publishConnectionClosed(side: Side, peer: ObservedPeer, socket: Bytes, error: unknown): void {
  const { connectionClosed } = CHANNELS[side];
  if (!connectionClosed.hasSubscribers) return;
  const message = OPENED.get(socket) ?? connectionMessage(peer, socket);
  connectionClosed.publish(Object.assign(message, { label: peer.label, code: codeOf(error) }));
}

export function publishCallForbidden(
  { address, keyId, label, instanceId }: Omit<ForbiddenMessage, 'kind' | 'pattern'>,
  kind: ForbiddenMessage['kind'],
  pattern: string,
): void {
  if (!CALL_FORBIDDEN.hasSubscribers) return;
  const message: ForbiddenMessage = { kind, pattern, address, keyId, label, instanceId };
  CALL_FORBIDDEN.publish(message);
}

type Bytes = Pick<ConnectionMessage, 'bytesRead' | 'bytesWritten'>;
type PublishedConnection = { -readonly [Field in keyof ConnectionMessage]: ConnectionMessage[Field] };

function handshakeMessage({ address, keyId, label }: ObservedPeer, error: unknown): HandshakeMessage {
  return { address, keyId, label, code: codeOf(error) };
}

function connectionMessage({ address, keyId, label }: ObservedPeer, socket: Bytes): PublishedConnection {
  return {
    address,
    keyId,
    label,
    get bytesRead(): number {
      return socket.bytesRead;
    },
    get bytesWritten(): number {
      return socket.bytesWritten;
    },
    code: undefined,
  };
}
