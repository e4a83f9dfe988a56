// L: the legacy wire through the classes of the library, and what a program like the original demo does with it.
import { createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { LegacyBench, legacyPortOf } from '../../support/legacy.js';
import { Logger } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { LegacyServer } from '../../../libs/transport/src/legacy/index.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { atEnd } from '../clean-up.js';

export class LegacyWire {
  readonly bench: LegacyBench;
  readonly proxy: TcpProxy;
  readonly port: number;

  #ended = 0;

  private constructor(bench: LegacyBench, server: LegacyServer, proxy: TcpProxy) {
    this.bench = bench;
    this.port = legacyPortOf(server);
    // A message is handed over when its socket closes, in the turns that follow.
    server.unwrap().on('connection', (socket: Socket) => {
      socket.on('close', () => setImmediate(() => setImmediate(() => (this.#ended += 1))));
    });
    this.proxy = proxy;
    atEnd(async () => {
      proxy.close();
      await bench.end();
      Logger.overrideLogger(false);
    });
  }

  static async open(): Promise<LegacyWire> {
    const bench = new LegacyBench();
    const server = await bench.startServer();
    return new LegacyWire(bench, server, await TcpProxy.to(legacyPortOf(server)));
  }

  get texts(): readonly string[] {
    return this.bench.handled.map(({ text }) => text);
  }

  /** The honest client sends a text through the proxy. */
  async send(text: string): Promise<void> {
    const client = this.bench.newClient(this.proxy.port);
    await lastValueFrom(client.emit('message', text), { defaultValue: undefined });
  }

  /** Sends a text through the proxy, and waits until it was handled; returns its ciphertext as the proxy saw it. */
  async record(text: string): Promise<Buffer> {
    this.proxy.reset();
    const before = this.texts.length;
    await this.send(text);
    await this.handles(before + 1);
    return this.proxy.bytes('c2s');
  }

  /** Sends bytes and FIN, and waits until the server is through with them: how it ended, and whether it was handled. */
  async ask(bytes: Buffer): Promise<{ readonly end: 'ended' | 'reset'; readonly isHandled: boolean }> {
    const [ended, handled] = [this.#ended, this.texts.length];
    const end = await sendRaw(this.port, bytes);
    while (this.#ended === ended) await new Promise((resolve) => setImmediate(resolve));
    return { end, isHandled: this.texts.length > handled };
  }

  /** Resolves as soon as so many messages were handled. */
  async handles(count: number): Promise<void> {
    while (this.texts.length < count) {
      this.bench.log.lines.length = 0;
      await this.bench.log.logged('Handled');
    }
  }
}

/**
 * What a program like the original demo shows to whoever reaches its port: it decrypts before it closes, and bad padding
 * ends the process. Its peer sees a reset where the padding is bad, and an ordinary end where it fits. A supervisor
 * starts it again, so that the port stays open.
 *
 * @param key - the 32 bytes of the key file: AES key, then IV.
 */
export async function startDemoServer(key: Buffer): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => {
      if (fits(key, Buffer.concat(chunks))) socket.end();
      else socket.resetAndDestroy();
    });
  });
  atEnd(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

function fits(key: Buffer, ciphertext: Buffer): boolean {
  const decipher = createDecipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16));
  try {
    decipher.update(ciphertext);
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

/** Sends bytes and FIN. Resolves with how the connection ended. */
export function sendRaw(port: number, bytes: Buffer): Promise<'ended' | 'reset'> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => resolve('reset'));
    socket.on('close', () => resolve('ended'));
    socket.resume();
    socket.end(bytes);
  });
}
