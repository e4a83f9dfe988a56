import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MAX_CONNECT_WAIT_MS } from '../../../apps/client/src/channel/connect-wait.js';
import { call, post } from '../../support/http-call.js';
import { startServerHere } from './server-app.js';
import type { ServerHere } from './server-app.js';
import { startClientHere } from './trigger-app.js';
import type { ClientHere } from './trigger-app.js';

/** Accepts connections, and passes them on to a server after {@link open}. */
class Door {
  readonly server: Server;
  readonly #waiting = new Set<Socket>();

  constructor(readonly target: number) {
    this.server = createServer((socket) => void this.#waiting.add(socket.on('error', () => undefined)));
  }

  open(): void {
    for (const socket of this.#waiting) {
      const server = connect(this.target, '127.0.0.1').on('error', () => undefined);
      socket
        .once('close', () => server.destroy())
        .pipe(server)
        .pipe(socket);
    }
  }

  close(): void {
    this.server.close();
    for (const socket of this.#waiting) socket.destroy();
  }
}

let directory: string;
let server: ServerHere;
let client: ClientHere;
let door: Door;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-no-server-'));
  const keyFile = { SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin') };
  server = await startServerHere(keyFile);
  door = new Door(Number(server.channel.split(':')[1]));
  await once(door.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = door.server.address() as AddressInfo;
  client = await startClientHere({ ...keyFile, SEALWIRE_PORT: String(port), SEALWIRE_CONNECT_TIMEOUT_MS: '60000' });
});

afterEach(async () => {
  door.close();
  await client.app.close();
  await server.app.close();
  await rm(directory, { recursive: true });
});

const callCounts = async (): Promise<readonly string[]> => {
  const { text } = await call(`${client.url}/metrics`, { method: 'GET' });
  return text.split('\n').filter((line) => line.startsWith('sealwire_calls_total{side="client"'));
};
const counted = (kind: string, outcome: string): string =>
  `sealwire_calls_total{side="client",kind="${kind}",pattern="other",outcome="${outcome}"} 1`;

describe('a call of the trigger that finds no server', () => {
  it('fails at once if the connection is refused, and is counted', async () => {
    door.close();
    const refused = { status: 503, json: { sent: false, message: expect.stringContaining('Cannot connect') } };
    await expect.poll(() => post(`${client.url}/send/echo`, 1)).toMatchObject(refused);
    const before = (await callCounts()).length;
    expect(before).toBeGreaterThan(0);
    expect(await post(`${client.url}/emit/notice`, 1)).toMatchObject(refused);
    expect(await callCounts()).toContain(counted('event', 'ERR_CONNECT_FAILED'));
  });

  it('waits a second, fails unsent, and is counted; the attempt continues for the next call', async () => {
    const begunMs = performance.now();
    const late = { status: 503, json: { code: 'ERR_CONNECT_TIMEOUT', sent: false } };
    const calls = [post(`${client.url}/send/echo`, 1), post(`${client.url}/emit/notice`, { text: 'too late' })];
    for (const answer of await Promise.all(calls)) expect(answer).toMatchObject(late);
    expect(performance.now() - begunMs).toBeGreaterThanOrEqual(MAX_CONNECT_WAIT_MS - 1);
    expect(await callCounts()).toEqual([
      counted('request', 'ERR_CONNECT_TIMEOUT'),
      counted('event', 'ERR_CONNECT_TIMEOUT'),
    ]);
    door.open();
    await expect.poll(() => post(`${client.url}/send/echo`, 1)).toMatchObject({ status: 200, text: '1' });
    const events = (await callCounts()).filter((line) => line.includes('kind="event"'));
    expect(events).toEqual([counted('event', 'ERR_CONNECT_TIMEOUT')]);
  });
});
