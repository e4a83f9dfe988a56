import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { RoguePeer } from './rogue-peer.js';

/** Takes the first connection for itself and passes every further one to an honest server. */
export class RogueServer {
  readonly peer: Promise<RoguePeer>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(honestPort: number) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.peer = once(this.#server, 'connection').then(([socket]) => {
      this.#server.on('connection', (next: Socket) => this.#pass(next, honestPort));
      this.#sockets.add(socket as Socket);
      return new RoguePeer('server', socket as Socket);
    });
  }

  static async start(honestPort: number): Promise<RogueServer> {
    const rogue = new RogueServer(honestPort);
    await once(rogue.#server.listen(0, '127.0.0.1'), 'listening');
    return rogue;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #pass(near: Socket, honestPort: number): void {
    const far = connect({ port: honestPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    }
    near.pipe(far).pipe(near);
  }
}
