// T: a server with TLS 1.2 under a pre-shared key, in a process of its own, and its client.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { atEnd } from '../clean-up.js';
import type { TlsServerAsk } from '../tls-psk-server.js';

const OPTIONS = { ciphers: 'ECDHE-PSK-AES128-CBC-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

interface TlsOutcome {
  /** The text of the server, or the code of the failure. */
  readonly said: string;
  readonly session: Buffer | undefined;
}

export class TlsPskServer {
  readonly #process: ChildProcess;
  readonly #psk: Buffer;
  #port = 0;

  private constructor(psk: Buffer) {
    this.#process = fork(fileURLToPath(new URL('../tls-psk-server.js', import.meta.url)));
    this.#psk = psk;
    atEnd(() => this.#process.kill('SIGKILL'));
  }

  static async start(psk: Buffer): Promise<TlsPskServer> {
    const server = new TlsPskServer(psk);
    server.#port = await server.ask({ ask: 'serve', psk: psk.toString('hex') });
    return server;
  }

  async ask(question: TlsServerAsk): Promise<number> {
    this.#process.send(question);
    return ((await once(this.#process, 'message')) as [number])[0];
  }

  /** @param session - The saved session of an earlier connection. */
  connect(session?: Buffer): Promise<TlsOutcome> {
    return new Promise((resolve) => {
      let [said, saved]: [string, Buffer | undefined] = ['', undefined];
      const socket = connect({
        ...OPTIONS,
        port: this.#port,
        host: '127.0.0.1',
        session,
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk: this.#psk, identity: 'client' }),
      });
      socket.on('session', (ticket) => (saved = ticket));
      socket.on('data', (chunk) => (said += chunk.toString()));
      socket.on('error', (error: { code?: string }) => (said = error.code ?? 'failed'));
      socket.on('close', () => resolve({ said, session: saved }));
    });
  }
}
