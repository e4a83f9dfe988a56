import type { Socket } from 'node:net';
import { inspect } from 'node:util';

/**
 * A read-only view of the socket of a message, for handlers. It has no method that writes, ends or destroys, because
 * plaintext between the records would end the connection, and an eavesdropper could read it.
 */
export class SocketView {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The address of the client; undefined on a Unix domain socket. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  /** Sealed bytes on the wire so far. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Returns the address of the peer, without the socket. */
  [inspect.custom](): string {
    return `SocketView(${this.remoteAddress ?? 'local'}:${this.remotePort ?? ''})`;
  }
}
