import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** Returns the bytes of a chunk to pass on. `offset` counts the bytes of the direction before it. */
export type Alter = (chunk: Buffer, offset: number, direction: 'c2s' | 's2c') => Buffer;

/** Flips one bit of the direction `flipped`, counted from the start of the connection. */
export function flipBit(flipped: 'c2s' | 's2c', bit: number): Alter {
  const at = bit >> 3;
  return (chunk, offset, direction) => {
    if (direction !== flipped || at < offset || at >= offset + chunk.length) return chunk;
    const altered = Buffer.from(chunk);
    altered.writeUInt8(altered.readUInt8(at - offset) ^ (1 << (bit & 7)), at - offset);
    return altered;
  };
}

/** A TCP proxy that sees everything, keeps it, and may change it. */
export class TcpProxy {
  readonly recorded = { c2s: [] as Buffer[], s2c: [] as Buffer[] };
  alter: Alter = (chunk) => chunk;
  /** The client's and the server's socket of the connection that was made last. */
  last: { readonly client: Socket; readonly server: Socket } | undefined;
  /** The port to which the next connections go. */
  target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
      this.last = { client, server };
      this.#pass('c2s', client, server);
      this.#pass('s2c', server, client);
    });
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  bytes(direction: 'c2s' | 's2c'): Buffer {
    return Buffer.concat(this.recorded[direction]);
  }

  /** Cuts every connection, forgets what it has seen, and passes on unaltered what comes next. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.recorded.c2s.length = 0;
    this.recorded.s2c.length = 0;
    this.alter = (chunk) => chunk;
  }

  close(): void {
    this.reset();
    this.#server.close();
  }

  #pass(direction: 'c2s' | 's2c', from: Socket, to: Socket): void {
    let offset = 0;
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    from.on('data', (chunk: Buffer) => {
      this.recorded[direction].push(chunk);
      const altered = this.alter(chunk, offset, direction);
      offset += chunk.length;
      if (altered.length > 0) to.write(altered);
    });
  }
}
