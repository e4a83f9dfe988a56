// All sockets of a process read into one buffer. The bytes of a read are processed before the next read starts, so that
// reads allocate no memory (docs/adr/0013-one-read-buffer.md).
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { SOCKET_OPTIONS } from '../options/endpoint.js';
import type { Endpoint } from '../options/endpoint.js';

const READ_BUFFER_BYTES = 262_144;

/** The owner of a socket gets its bytes and its events. */
export interface SocketOwner {
  /** @param chunk - Valid until the call returns: the next read of any socket overwrites it. */
  receive(chunk: Buffer): void;
  /** Called when the peer sends nothing more. */
  receiveFin(): void;
  /** Called when the socket has failed or closed. @param cause - The failure. */
  onSocketLost(cause?: Error): void;
}

/** The read buffer of a socket, as in the option `onread` of Node. Node has no public way to set it later. */
interface ReadTarget {
  readonly buffer: Buffer;
  readonly deliver: (this: Socket, bytes: number) => boolean;
}

// All sockets have the same listeners, which find the owner at the socket, so that an idle socket needs no closures.
const OWNER = Symbol('owner');
type OwnedSocket = Socket & { [OWNER]?: SocketOwner | undefined };

const NO_OWNER: SocketOwner = {
  receive: () => undefined,
  receiveFin: () => undefined,
  onSocketLost: () => undefined,
};

let readBuffer: Buffer | undefined;

/** Connects as `net.connect` does. The socket reads into the shared buffer of the process if `isShared`. */
export function connectSocket(endpoint: Endpoint, isShared: boolean): Socket {
  if (!isShared) return connect({ ...endpoint, ...SOCKET_OPTIONS });
  const { buffer, deliver: callback } = readTarget();
  const socket: OwnedSocket = connect({ ...endpoint, ...SOCKET_OPTIONS, onread: { buffer, callback } });
  socket[OWNER] = NO_OWNER;
  return socket;
}

/**
 * Makes an accepted socket read into the shared buffer of the process. `net.Server` has no option for that, so this
 * sets the same internal fields as `onread` of `net.connect`. If a version of Node renames them, the socket emits
 * 'data' instead.
 */
export function shareReadBuffer(socket: OwnedSocket): void {
  if (setReadTarget(socket, readTarget())) socket[OWNER] = NO_OWNER;
}

/** Passes all further bytes and events to `owner`. The previous owner has called {@link disownSocket}. */
export function ownSocket(socket: OwnedSocket, owner: SocketOwner): void {
  if (socket[OWNER] === undefined) socket.on('data', onData);
  else socket.resume();
  socket[OWNER] = owner;
  socket.on('end', onEnd).on('error', onError).on('close', onClose);
}

/** Removes its listeners from the socket, and keeps those of others. Further bytes are dropped. */
export function disownSocket(socket: OwnedSocket): void {
  const emitsData = socket.listeners('data').includes(onData);
  socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
  socket[OWNER] = emitsData ? undefined : NO_OWNER;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.receive(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.receiveFin();
}

function onError(this: OwnedSocket, cause: Error): void {
  this[OWNER]?.onSocketLost(cause);
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.onSocketLost();
}

/** Passes bytes that were read to the owner of the socket. Node calls it as a method of the socket. */
function deliver(this: OwnedSocket, bytes: number): boolean {
  if (readBuffer !== undefined) this[OWNER]?.receive(readBuffer.subarray(0, bytes));
  return true; // go on reading
}

function readTarget(): ReadTarget {
  return { buffer: (readBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)), deliver };
}

function setReadTarget(socket: Socket, target: ReadTarget): boolean {
  const symbols = Object.getOwnPropertySymbols(socket);
  const bufferKey = symbols.find(({ description }) => description === 'kBuffer');
  const callbackKey = symbols.find(({ description }) => description === 'kBufferCb');
  const handle: unknown = Reflect.get(socket, '_handle');
  if (bufferKey === undefined || callbackKey === undefined || !takesUserBuffer(handle)) return false;
  Reflect.set(socket, bufferKey, target.buffer);
  Reflect.set(socket, callbackKey, target.deliver);
  handle.useUserBuffer(target.buffer);
  return true;
}

function takesUserBuffer(handle: unknown): handle is { useUserBuffer(buffer: Buffer): void } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  );
}
