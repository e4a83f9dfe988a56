// S in a process of its own: what it holds in memory is the server's alone.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

import type { SealwireServerOptions } from '../../../libs/transport/src/index.js';
import { key } from '../../support/pair.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { CONFIRM } from '../../support/rogue-words.js';
import { atEnd } from '../clean-up.js';
import type { Command, Served, Usage } from '../measured-process.js';

const PROCESS_FILE = fileURLToPath(new URL('../measured-process.js', import.meta.url));
const KEY_HEX = Buffer.from(key).toString('hex');

export class ServerProcess {
  readonly port: number;
  readonly #server: ChildProcess;
  readonly #client = forked();
  #calmMs = 0;

  private constructor(server: ChildProcess, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(options: Partial<SealwireServerOptions> = {}): Promise<ServerProcess> {
    const child = forked();
    const port = await ask<number>(child, { ask: 'serve', key: KEY_HEX, options });
    const server = new ServerProcess(child, port);
    await server.serveOne(); // so that what is loaded late is loaded
    server.#calmMs = await server.serveOne();
    await server.usage();
    return server;
  }

  /** What a client may wait for its first answer under attack: a second, or more where it takes long without one. */
  get patienceMs(): number {
    return Math.max(1_000, 10 * this.#calmMs);
  }

  usage(): Promise<Usage> {
    return ask(this.#server, { ask: 'usage' });
  }

  /** Somebody who holds the key and has opened a connection. */
  async insider(): Promise<RoguePeer> {
    const rogue = await RoguePeer.dial(this.port);
    atEnd(() => rogue.socket.destroy());
    rogue.write(rogue.message1());
    await rogue.hears('message 2');
    rogue.say(CONFIRM);
    return rogue;
  }

  /** Silent connections, all made. */
  async crowd(count: number, localAddress?: string): Promise<Socket[]> {
    const sockets = Array.from({ length: count }, () => {
      const socket = connect({ port: this.port, host: '127.0.0.1', ...(localAddress && { localAddress }) });
      return socket.on('error', () => undefined).resume();
    });
    atEnd(() => sockets.forEach((socket) => socket.destroy()));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return sockets;
  }

  /** How long a client that comes anew waits for its connection and the first answer, in ms. Fails if any is missing. */
  async serveOne(): Promise<number> {
    const { tookMs, missing } = await ask<Served>(this.#client, { ask: 'call', key: KEY_HEX, port: this.port });
    if (missing.length > 0) throw new Error(`A legitimate client got ${missing.join()}`);
    return tookMs;
  }
}

function forked(): ChildProcess {
  const child = fork(PROCESS_FILE);
  atEnd(() => child.kill('SIGKILL'));
  return child;
}

async function ask<Answer>(child: ChildProcess, command: Command): Promise<Answer> {
  child.send(command);
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}
