import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess } from '../../support/app-process.js';
import { call, post } from '../../support/http-call.js';

const apps = new AppProcesses();
let servers: AppProcess[];
let client: AppProcess;
let addresses: readonly string[];
let url: string;

beforeAll(async () => {
  servers = await Promise.all([1, 2, 3].map(() => apps.start('server')));
  addresses = await Promise.all(servers.map(async (server) => (await server.ready())['channel'] ?? ''));
  client = await apps.start('client', { SEALWIRE_SERVERS: addresses.join(',') });
  url = (await client.ready())['trigger'] ?? '';
});

afterAll(() => apps.end());

const receivedBy = (server: AppProcess | undefined): number =>
  server?.log.filter(({ message }) => message.startsWith('Decrypted: ')).length ?? 0;

async function send(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) expect((await post(`${url}/messages`, { text: 'a text' })).status).toBe(200);
}

/** Sends messages until the server has one more. */
async function sendUntilReceivedBy(server: AppProcess | undefined): Promise<void> {
  const before = receivedBy(server);
  while (receivedBy(server) === before) await send(1);
}

describe('the client app with three server apps', () => {
  it('sends messages to all of them', async () => {
    await Promise.all(servers.map((server) => sendUntilReceivedBy(server)));
    for (const server of servers) expect(receivedBy(server)).toBeGreaterThan(0);
  });

  it('lists them in its health', async () => {
    const { json } = await call(`${url}/health`, { method: 'GET' });
    expect(json).toMatchObject({
      status: 'ok',
      details: { channel: { servers: addresses.map((server) => ({ server, state: 'connected' })) } },
    });
  });

  it('is served by the others while one is stopped', async () => {
    servers[0]?.signal('SIGSTOP');
    const posts = Array.from({ length: 3 }, () => post(`${url}/messages`, { text: 'one for each' }));
    let answered = 0;
    for (const sent of posts) void sent.then(() => answered++);
    // As long as each server has a call, the next one may go to the stopped server as well.
    await expect.poll(() => answered).toBe(2);
    await send(30);
    expect((await call(`${url}/health`, { method: 'GET' })).status).toBe(200);
    servers[0]?.signal('SIGCONT');
    for (const { status } of await Promise.all(posts)) expect(status).toBe(200);
  });

  it('is served by the others while one is dead, and by that one when it is back', async () => {
    const [, , address = ''] = addresses;
    await servers[2]?.stop('SIGKILL');
    await send(30);
    expect((await client.logged(`Lost the connection to ${address}`)).level).toBe('warn');
    const again = await apps.start('server', { SEALWIRE_PORT: address.split(':')[1] ?? '' });
    await again.ready();
    await sendUntilReceivedBy(again);
    await client.logged(`Connected to ${address} again`);
    expect(client.log.filter(({ message }) => message.includes('Cannot connect to'))).toHaveLength(0);
  });
});
