// S in a process of its own: what it holds in memory is the server's alone.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

import type { SealwireServerOptions } from '../../../libs/transport/src/index.js';
import { key } from '../../support/pair.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { NotCarriedOut } from '../attack.js';
import { atEnd } from '../clean-up.js';
import type { Command, Served, Usage } from '../measured-process.js';

const PROCESS_FILE = fileURLToPath(new URL('../measured-process.js', import.meta.url));
const KEY_HEX = Buffer.from(key).toString('hex');

/** What the server may do for others before a client is served, in ms of CPU: the clock would count other programs too. */
const MAX_WORK_MS = 1_500;

export interface Service {
  /** What came in the place of an answer. */
  readonly missing: readonly string[];
  readonly saw: string;
  readonly damage: Readonly<Record<string, boolean>>;
}

export class ServerProcess {
  readonly port: number;
  readonly #server: ChildProcess;
  readonly #client = forked();

  private constructor(server: ChildProcess, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(options: Partial<SealwireServerOptions> = {}): Promise<ServerProcess> {
    const child = forked();
    const port = await ask<number>(child, { ask: 'serve', key: KEY_HEX, options });
    const server = new ServerProcess(child, port);
    const { missing } = await server.serveOne(); // so that what is loaded late is loaded
    if (missing.length > 0) throw new NotCarriedOut(`Before the attack a client got ${missing.join()}`);
    await server.usage();
    return server;
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
    rogue.say(rogue.confirm());
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

  /** A client that comes anew, its first answer and some more. The clock is told; what the server did meanwhile is judged. */
  async serveOne(): Promise<Service> {
    const before = await this.#cpuMs();
    const { tookMs, missing } = await ask<Served>(this.#client, { ask: 'call', key: KEY_HEX, port: this.port });
    const cpuMs = (await this.#cpuMs()) - before;
    return {
      missing,
      saw: `after ${Math.round(tookMs)} ms, in which the server worked for ${Math.round(cpuMs)} ms`,
      damage: {
        [`a client got ${missing.join()}`]: missing.length > 0,
        [`a client waited for ${Math.round(cpuMs)} ms of work`]: cpuMs > MAX_WORK_MS,
      },
    };
  }

  #cpuMs(): Promise<number> {
    return ask(this.#server, { ask: 'cpu' });
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
