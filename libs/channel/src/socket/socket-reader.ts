// All sockets of a process read into one buffer: what a read brings is used up before the next read begins, so that no
// memory is allocated for it (docs/adr/0014-one-read-buffer.md).
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { SOCKET_OPTIONS } from '../options/endpoint.js';
import type { Endpoint } from '../options/endpoint.js';

const READ_BUFFER_BYTES = 262_144;

/** @param chunk - Valid until the call returns: the next read, of whichever socket, overwrites it. */
export type Receive = (chunk: Buffer) => void;

/** What Node knows of a socket that reads into a buffer of its user, once it is made. It has no public name there. */
interface ReadTarget {
  readonly buffer: Buffer;
  readonly deliver: (bytes: number) => boolean;
}

let readBuffer: Buffer | undefined;
const readers = new WeakMap<Socket, SharedReader>();

class SharedReader {
  receive: Receive = discard;

  readonly target: ReadTarget = {
    buffer: (readBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)),
    deliver: (bytes) => {
      this.receive(this.target.buffer.subarray(0, bytes));
      return true; // go on reading
    },
  };
}

/** As `net.connect`; the socket reads into the buffer of the process if `isShared`. */
export function connectSocket(endpoint: Endpoint, isShared: boolean): Socket {
  if (!isShared) return connect({ ...endpoint, ...SOCKET_OPTIONS });
  const reader = new SharedReader();
  const onread = { buffer: reader.target.buffer, callback: reader.target.deliver };
  const socket = connect({ ...endpoint, ...SOCKET_OPTIONS, onread });
  readers.set(socket, reader);
  return socket;
}

/**
 * Makes an accepted socket read into the buffer of the process. `net.Server` has no option for that, so this sets what
 * `onread` of `net.connect` sets; a Node that has renamed it leaves the socket as it is, and it emits 'data'.
 */
export function shareReadBuffer(socket: Socket): void {
  const reader = new SharedReader();
  if (setReadTarget(socket, reader.target)) readers.set(socket, reader);
}

/** Calls `receive` with all that comes from now on, in place of what was called before. */
export function receiveFrom(socket: Socket, receive: Receive): void {
  const reader = readers.get(socket);
  if (reader === undefined) {
    socket.on('data', receive);
    return;
  }
  reader.receive = receive;
  socket.resume();
}

/** Undoes {@link receiveFrom}: what comes from now on is dropped. */
export function stopReceiving(socket: Socket, receive: Receive): void {
  socket.off('data', receive);
  const reader = readers.get(socket);
  if (reader?.receive === receive) reader.receive = discard;
}

function discard(): void {}

function setReadTarget(socket: Socket, { buffer, deliver }: ReadTarget): boolean {
  const symbols = Object.getOwnPropertySymbols(socket);
  const bufferKey = symbols.find(({ description }) => description === 'kBuffer');
  const callbackKey = symbols.find(({ description }) => description === 'kBufferCb');
  const handle: unknown = Reflect.get(socket, '_handle');
  if (bufferKey === undefined || callbackKey === undefined || !takesUserBuffer(handle)) return false;
  Reflect.set(socket, bufferKey, buffer);
  Reflect.set(socket, callbackKey, deliver);
  handle.useUserBuffer(buffer);
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
