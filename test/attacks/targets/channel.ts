// S: a server and what talks to it, over sockets, through a proxy that the attacker owns.
import { firstValueFrom } from 'rxjs';

import type {
  SealwireClient,
  SealwireClientOptions,
  SealwireServer,
  SealwireServerOptions,
} from '../../../libs/transport/src/index.js';
import { newClient, portOf, startServer } from '../../support/pair.js';
import { KEY, RoguePeer } from '../../support/rogue-peer.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { NotCarriedOut } from '../attack.js';
import { atEnd } from '../clean-up.js';

export const MESSAGE_1_BYTES = 80;
export const MESSAGE_2_BYTES = 104;
export const CONFIRM_BYTES = 98;

/** For what an attack has to see before it can go on. Nothing is judged by it. */
export const PATIENCE_MS = 30_000;

/** No deadline of a client is what an attack is about: with these none expires that must not. */
export const PATIENT = { timeouts: { connectMs: PATIENCE_MS, closeMs: 100 }, requestTimeoutMs: PATIENCE_MS };

export class Channel {
  readonly server: SealwireServer;
  readonly proxy: TcpProxy;
  /** What the handler of `count` was given, in order. */
  readonly handled: unknown[] = [];
  /** How often any handler ran but that of `echo`. */
  runs = 0;
  /** The codes with which the server ended connections, handshakes included. */
  readonly ended: string[] = [];

  private constructor(server: SealwireServer, proxy: TcpProxy) {
    this.server = server;
    this.proxy = proxy;
    this.#handle('count', (data) => Promise.resolve(this.handled.push(data)));
    this.#handle('hang', () => new Promise(() => undefined));
    this.#handle('later', (ms) => new Promise((resolve) => setTimeout(resolve, Number(ms), 1)));
    this.#handle('flood', () => Promise.resolve(Buffer.alloc(8_000_000)));
    this.#handle('noted', () => Promise.resolve(), true);
    server.connectionEvents.subscribe((event) => {
      if ('error' in event && event.error !== undefined) this.ended.push(event.error.code);
    });
    atEnd(() => proxy.close());
  }

  static async open(options: Partial<SealwireServerOptions> = {}): Promise<Channel> {
    const server = await startServer({
      ...options,
      timeouts: { handshakeMs: PATIENCE_MS, closeMs: 100, ...options.timeouts },
    });
    return new Channel(server, await TcpProxy.to(portOf(server)));
  }

  get port(): number {
    return portOf(this.server);
  }

  /** A client behind the proxy, unless another port is given. */
  client(port = this.proxy.port, options: Partial<SealwireClientOptions> = {}): SealwireClient {
    return newClient(port, { ...PATIENT, ...options, timeouts: { ...PATIENT.timeouts, ...options.timeouts } });
  }

  /** Somebody who holds a key and has opened a connection. */
  async insider(key = KEY): Promise<RoguePeer> {
    const rogue = await this.stranger(key);
    rogue.say(rogue.confirm());
    return rogue;
  }

  /** Somebody who holds a key and has got message 2. */
  async stranger(key = KEY): Promise<RoguePeer> {
    const rogue = await RoguePeer.dial(this.port);
    atEnd(() => rogue.socket.destroy());
    rogue.write(rogue.message1({}, key));
    await rogue.hears('message 2');
    return rogue;
  }

  /** The answer to message 1. */
  async greeting(key = KEY, recorded?: Buffer): Promise<string> {
    const rogue = await RoguePeer.dial(this.port);
    atEnd(() => rogue.socket.destroy());
    rogue.write(recorded ?? rogue.message1({}, key));
    await Promise.race([rogue.hears('message 2'), rogue.hears('alert')]).catch(() => undefined);
    return rogue.words.join();
  }

  /** Whether a client that comes anew gets its answer. */
  async servesOthers(): Promise<boolean> {
    return (await outcomeOf(this.client(this.port), 'echo', 'unharmed')) === 'unharmed';
  }

  /** Resolves when everybody has gone from the server; false if somebody stays. */
  async isLeft(withinMs = PATIENCE_MS): Promise<boolean> {
    return eventually(() => {
      const { connections, strangers } = this.server.snapshot();
      return connections + strangers === 0;
    }, withinMs);
  }

  #handle(pattern: string, handler: (data: unknown) => Promise<unknown>, isEvent = false): void {
    const counted = (data: unknown): Promise<unknown> => {
      this.runs += 1;
      return handler(data);
    };
    this.server.addHandler(pattern, counted, isEvent);
  }
}

/** Whether `holds` becomes true in time. */
export async function eventually(holds: () => boolean, withinMs = PATIENCE_MS): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return true;
}

/** Waits for what the attack rests on. */
export async function comesTrue(what: string, holds: () => boolean): Promise<void> {
  if (!(await eventually(holds))) throw new NotCarriedOut(`Not within ${PATIENCE_MS} ms: ${what}`);
}

/** The answer, or the code of the failure: every call of it ends. */
export function outcomeOf(client: SealwireClient, pattern: string, data: unknown): Promise<unknown> {
  return firstValueFrom(client.send<unknown>(pattern, data)).catch((error: { code?: string }) => error.code ?? error);
}

/** The records of one direction, from the end of its handshake message on. */
export function recordsOf(bytes: Buffer, handshakeBytes: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = handshakeBytes; at + 2 <= bytes.length; at += 2 + bytes.readUInt16BE(at)) {
    records.push(bytes.subarray(at, at + 2 + bytes.readUInt16BE(at)));
  }
  return records;
}
