// T: Nest's own TCP transport over TLS 1.2 with a pre-shared key, as its `tlsOptions` give it. The server is a process of
// its own, behind a proxy that the attacker owns.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { ClientTCP } from '@nestjs/microservices';
import { firstValueFrom, timeout } from 'rxjs';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { atEnd } from '../clean-up.js';
import type { NestPskAsk } from '../nest-psk-server.js';
import { PSK_TLS } from '../psk-tls.js';

const CALL_MS = 5_000;
const PROCESS_FILE = fileURLToPath(new URL('../nest-psk-server.js', import.meta.url));

export interface Visit {
  /** What the server answered to a request for `echo`; else the code of the failure. */
  readonly said: string;
  readonly isResumed: boolean;
  readonly session: Buffer | undefined;
}

export class NestPsk {
  readonly proxy: TcpProxy;
  readonly #psk: Uint8Array;
  readonly #process: ChildProcess;

  private constructor(server: ChildProcess, proxy: TcpProxy, psk: Uint8Array) {
    this.#process = server;
    this.proxy = proxy;
    this.#psk = psk;
    atEnd(() => proxy.close());
  }

  /** @param psk - 32 bytes. */
  static async open(psk: Uint8Array = randomBytes(32)): Promise<NestPsk> {
    const server = fork(PROCESS_FILE);
    atEnd(() => server.kill('SIGKILL'));
    const port = await ask<number>(server, { ask: 'serve', psk: Buffer.from(psk).toString('hex') });
    return new NestPsk(server, await TcpProxy.to(port), psk);
  }

  async revoke(): Promise<void> {
    await ask(this.#process, { ask: 'revoke' });
  }

  async forgetTickets(): Promise<void> {
    await ask(this.#process, { ask: 'forget tickets' });
  }

  /** What the handler of `count` was given, in order. */
  handled(): Promise<unknown[]> {
    return ask(this.#process, { ask: 'handled' });
  }

  /** A client of Nest, through the proxy. */
  client(): NestPskClient {
    return new NestPskClient(this.proxy.port, this.#tlsOptions());
  }

  /**
   * Connects as a program that is not Nest, calls `echo` and leaves.
   *
   * @param session - The saved session of an earlier visit.
   */
  visit({ session, psk = this.#psk, identity = 'client' }: VisitOptions = {}): Promise<Visit> {
    return new Promise((resolve) => {
      let said = '';
      let saved: Buffer | undefined;
      let isResumed = false;
      const options = { ...this.#tlsOptions(psk, identity), port: this.proxy.port, host: '127.0.0.1', session };
      const socket: TLSSocket = connect(options);
      socket.on('secureConnect', () => {
        isResumed = socket.isSessionReused();
        socket.write(framed({ pattern: 'echo', data: 'hello', id: '1' }));
      });
      socket.on('session', (ticket) => (saved = ticket));
      socket.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        socket.end();
      });
      socket.on('error', (error: { code?: string }) => (said = error.code ?? 'failed'));
      socket.on('close', () => resolve({ said: said.includes('"hello"') ? 'hello' : said, isResumed, session: saved }));
    });
  }

  #tlsOptions(psk = this.#psk, identity = 'client'): ConnectionOptions {
    return {
      ...PSK_TLS,
      checkServerIdentity: () => undefined, // there is no certificate: the key is the proof
      pskCallback: () => ({ psk, identity }),
    };
  }
}

export interface VisitOptions {
  readonly session?: Buffer | undefined;
  readonly psk?: Uint8Array;
  readonly identity?: string;
}

export class NestPskClient {
  readonly #client: ClientTCP;

  constructor(port: number, tlsOptions: ConnectionOptions) {
    this.#client = new ClientTCP({ host: '127.0.0.1', port, tlsOptions });
    atEnd(() => this.#client.close());
  }

  /** Returns the answer, or the message of the failure. Nest's client leaves some calls without either. */
  call(pattern: string, data: unknown): Promise<unknown> {
    const answer = this.#client.send<unknown>(pattern, data).pipe(timeout(CALL_MS));
    return firstValueFrom(answer).catch(
      (error: { code?: string; message?: string }) => error.code ?? error.message ?? error,
    );
  }
}

function framed(packet: object): string {
  const text = JSON.stringify(packet);
  return `${text.length}#${text}`;
}

async function ask<Answer>(child: ChildProcess, question: NestPskAsk): Promise<Answer> {
  child.send(question);
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}
