import type { Socket } from 'node:net';

/** Ends a connection by RST. Node cannot reset a socket that has been ended, and would keep its handle. */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
