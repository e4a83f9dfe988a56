import type { Socket } from 'node:net';
import { inspect } from 'node:util';

/**
 * What a handler may know of the socket that its message came on. It cannot write, end or destroy: plaintext beside the
 * records would end the connection, and tell a listener of it.
 */
export class SocketView {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Of the client; undefined on a Unix domain socket. */
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

  /** Bytes on the wire so far, sealed as they are. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  [inspect.custom](): string {
    return `SocketView(${this.remoteAddress ?? 'local'}:${this.remotePort ?? ''})`;
  }
}
