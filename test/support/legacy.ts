import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Logger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { Subject } from 'rxjs';

import { generateKey } from '../../libs/crypto/src/index.js';
import { LegacyClient, LegacyServer } from '../../libs/transport/src/legacy/index.js';
import type {
  LegacyMessage,
  LegacyContext,
  LegacyOptions,
  LegacyServerOptions,
} from '../../libs/transport/src/legacy/index.js';

/** The arguments that a handler received. */
export interface Handled {
  readonly text: string;
  readonly context: LegacyContext;
}

/** Lines of Nest's log, past and coming. */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];
  readonly #added = new Subject<void>();

  log(message: unknown): void {
    this.#add(message);
  }

  warn(message: unknown): void {
    this.#add(message);
  }

  error(message: unknown): void {
    this.#add(message);
  }

  /** Resolves with the first line that contains `text`. */
  async logged(text: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate.includes(text));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        const subscription = this.#added.subscribe(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
    }
  }

  #add(message: unknown): void {
    this.lines.push(String(message));
    this.#added.next();
  }
}

/** One directory with a legacy key file, and whatever a test starts; `end` removes it all. */
export class LegacyBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'sealwire-legacy-'));
  readonly key: Buffer;
  readonly keyFile: string;
  readonly log = new LogLines();
  readonly handled: Handled[] = [];
  readonly #ends: (() => unknown)[] = [];

  constructor(key: Uint8Array = generateKey()) {
    this.key = Buffer.from(key);
    this.keyFile = this.writeKey('legacy_key.bin', key);
    Logger.overrideLogger(this.log);
  }

  writeKey(name: string, key: Uint8Array): string {
    const path = join(this.directory, name);
    writeFileSync(path, key, { mode: 0o600 });
    return path;
  }

  newServer(options: Partial<LegacyServerOptions> = {}): LegacyServer {
    const server = new LegacyServer({ port: 0, keyFile: this.keyFile, channelKeyring: undefined, ...options });
    this.#ends.push(() => server.close());
    return server;
  }

  /** A server whose handler keeps what it is given. */
  async startServer(options: Partial<LegacyServerOptions> = {}): Promise<LegacyServer> {
    const server = this.newServer(options);
    server.addHandler('message', (message: LegacyMessage, context?: LegacyContext) => {
      if (context !== undefined) this.handled.push({ text: message.text, context });
      this.log.log(`Handled ${message.text}`);
      return Promise.resolve();
    });
    await listenLegacy(server);
    return server;
  }

  newClient(port: number, options: Partial<LegacyOptions> = {}): LegacyClient {
    const client = new LegacyClient({ port, keyFile: this.keyFile, channelKeyring: undefined, ...options });
    this.#ends.push(() => client.close());
    return client;
  }

  /** Sends bytes as the original program does, and waits until both sides are done. */
  async send(port: number, ...chunks: readonly Uint8Array[]): Promise<void> {
    const socket = await this.connect(port);
    for (const chunk of chunks) {
      socket.write(chunk);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    socket.end();
    await closed(socket);
  }

  async connect(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#ends.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return socket;
  }

  /** A server that takes what comes on one connection, as the original program does, and closes. */
  async startSink(): Promise<{ readonly port: number; readonly received: Promise<Buffer> }> {
    const sink: Server = createServer({ allowHalfOpen: true });
    this.#ends.push(() => sink.close());
    const received = new Promise<Buffer>((resolve, reject) => {
      sink.once('connection', (socket: Socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.on('error', reject);
        socket.on('end', () => {
          socket.end();
          resolve(Buffer.concat(chunks));
        });
      });
    });
    await once(sink.listen(0, '127.0.0.1'), 'listening');
    return { port: (sink.address() as AddressInfo).port, received };
  }

  async end(): Promise<void> {
    await Promise.all(this.#ends.splice(0).map((end) => end()));
    rmSync(this.directory, { recursive: true });
    Logger.overrideLogger(false);
  }
}

export function listenLegacy(server: LegacyServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
}

export function legacyPortOf(server: LegacyServer): number {
  return (server.unwrap().address() as AddressInfo).port;
}

/** Reads on to the end, a failure included, for a server may cut a connection on which bytes are under way. */
export function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
