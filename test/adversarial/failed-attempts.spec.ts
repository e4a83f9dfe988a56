// Every failure before message 2 was verified has the same effect: docs/protocol.md §4.7 and §8.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ClientConnectionEvent } from '../../libs/transport/src/index.js';
import { LISTENER_FAULTS } from './faults/listener.js';
import type { ServerFault } from '../support/fault.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';

const FAILED_ATTEMPTS = 2;
const MESSAGE_1_BYTES = 80;
/** Preamble of version 1 and type 1, with the length of message 1. */
const PREAMBLE = 'e1534c5701010048';
const REDIAL = { redial: { minMs: 8, maxMs: 1_000, inBackground: false } };

const listeners: Server[] = [];
const sockets: Socket[] = [];

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) listener.close();
});

/** Fails the first attempts as the fault says, and passes every later one to an honest server. */
class FailingServer {
  /** The bytes of each failed attempt. */
  readonly heard: Buffer[] = [];
  readonly #honestPort: number;
  readonly #listener: Server;

  constructor(honestPort: number, fault: ServerFault) {
    this.#honestPort = honestPort;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.push(socket);
      if (this.heard.length < FAILED_ATTEMPTS) void this.#fail(socket, fault);
      else this.#pass(socket);
    });
    listeners.push(this.#listener);
  }

  async listen(): Promise<number> {
    await once(this.#listener.listen(0, '127.0.0.1'), 'listening');
    return (this.#listener.address() as AddressInfo).port;
  }

  async #fail(socket: Socket, { at, does }: ServerFault): Promise<void> {
    const attempt = this.heard.push(Buffer.alloc(0)) - 1;
    const note = (chunk: Buffer): Buffer =>
      (this.heard[attempt] = Buffer.concat([this.heard[attempt] ?? Buffer.alloc(0), chunk]));
    socket.on('data', note);
    const rogue = new RoguePeer('server', socket);
    if (at !== 'connected') await rogue.hears('message 1');
    await does(rogue);
    await rogue.left;
    socket.destroy();
  }

  #pass(near: Socket): void {
    const far = connect({ port: this.#honestPort, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(far);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
  }
}

/** The type of an event, and how long the client then pauses. */
function inShort(event: ClientConnectionEvent): string {
  return event.type === 'failed' ? `failed, again in ${event.retryInMs} ms` : event.type;
}

const BEFORE_MESSAGE_2 = LISTENER_FAULTS.filter(({ ends }) => ends !== 'ERR_CONNECTION_LOST');

describe('a client whose attempts to connect fail', () => {
  it.each(BEFORE_MESSAGE_2.map((fault) => [fault.name, fault] as const))(
    'waits, retries and offers the same as before at a server that %s [R4.26] [R4.27] [R8.1] [R8.2]',
    async (_, fault) => {
      const honest = await startServer();
      const failing = new FailingServer(portOf(honest), fault);
      const port = await failing.listen();
      const client = newClient(port, {
        ...fault.options,
        ...REDIAL,
        timeouts: { ...fault.options?.timeouts, waitForConnectionMs: 60_000 },
      });
      const events: string[] = [];
      client.connectionEvents.subscribe((event) => events.push(inShort(event)));
      expect(await firstValueFrom(client.send('echo', 'served'))).toBe('served');
      expect(events).toEqual([
        'connecting',
        'failed, again in 12 ms',
        'connecting',
        'failed, again in 24 ms',
        'connecting',
        'connected',
      ]);
      const offered = failing.heard.filter((bytes) => bytes.length > 0);
      for (const bytes of offered) {
        expect(bytes.toString('hex', 0, 8)).toBe(PREAMBLE);
        expect(bytes).toHaveLength(MESSAGE_1_BYTES);
      }
      const keys = offered.map((bytes) => bytes.toString('hex', 16, 48));
      expect(new Set(keys).size, 'one ephemeral key for each attempt [R4.1] [R4.20]').toBe(offered.length);
    },
  );

  it('reports the alert as a hint in the error of a call that does not wait [R4.27]', async () => {
    const refusing = createServer((socket) =>
      socket.on('error', () => undefined).end(Buffer.from('e1534c5701ff0000', 'hex')),
    );
    listeners.push(refusing);
    await once(refusing.listen(0, '127.0.0.1'), 'listening');
    const client = newClient((refusing.address() as AddressInfo).port);
    const failed = await client.connect().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'ERR_ALERT', sent: false });
    expect(String(failed)).toMatch(
      /the key or the service name differs, the server is busy, or an attacker on the network/,
    );
  });
});
