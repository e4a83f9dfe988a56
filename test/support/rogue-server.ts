import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { RoguePeer } from './rogue-peer.js';

/** Takes one connection for itself, the first unless another is asked for, and passes all others to an honest server. */
export class RogueServer {
  readonly peer: Promise<RoguePeer>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(honestPort: number, taken: number) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.peer = new Promise((resolve) => {
      let accepted = 0;
      this.#server.on('connection', (socket: Socket) => {
        accepted += 1;
        this.#sockets.add(socket);
        if (accepted === taken) resolve(new RoguePeer('server', socket));
        else this.#pass(socket, honestPort);
      });
    });
  }

  static async start(honestPort: number, taken = 1): Promise<RogueServer> {
    const rogue = new RogueServer(honestPort, taken);
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
