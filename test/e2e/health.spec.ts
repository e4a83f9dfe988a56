import { Test } from '@nestjs/testing';
import { HealthCheckService, MicroserviceHealthIndicator, TerminusModule } from '@nestjs/terminus';
import { afterEach, describe, expect, it } from 'vitest';

import { SealwireClient } from '@sealwire/transport';
import type { SealwireServer } from '@sealwire/transport';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';
import { endAll, keyring, newClient, newKeyring, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

async function terminus() {
  const module = await Test.createTestingModule({
    imports: [TerminusModule.forRoot({ logger: false })],
    providers: [SealwireHealthIndicator],
  }).compile();
  return {
    own: module.get(SealwireHealthIndicator),
    stock: await module.resolve(MicroserviceHealthIndicator),
    health: await module.resolve(HealthCheckService),
  };
}

describe('SealwireHealthIndicator', () => {
  it('says that the server is up and how far it is, over the connection that is there', async () => {
    const { own, health } = await terminus();
    const server = await startServer();
    const client = newClient(portOf(server));
    await client.connect();
    let connections = 0;
    server.on('connection', () => void connections++);
    const result = await health.check([() => own.pingCheck('orders', client)]);
    expect(result.details['orders']).toEqual({ status: 'up', roundTripMs: expect.any(Number) as number });
    expect(connections).toBe(0);
  });

  it.each([
    ['does not listen', (server: SealwireServer) => server.close(), {}, 'ERR_CONNECT_FAILED'],
    ['has another key', () => undefined, { keyring: newKeyring() }, 'ERR_ALERT'],
  ])('says why it is down when the server %s', async (_what, prepare, options, code) => {
    const { own } = await terminus();
    const server = await startServer();
    const port = portOf(server);
    await prepare(server);
    const result = await own.pingCheck('orders', newClient(port, options));
    expect(result.orders).toEqual({ status: 'down', code, message: expect.any(String) as string });
  });

  it('says that it is down when it does not answer in time', async () => {
    const { own } = await terminus();
    const server = await startServer();
    const client = newClient(portOf(server));
    await client.connect();
    client.unwrap().pause();
    expect(await own.pingCheck('orders', client, { timeoutMs: 20 })).toMatchObject({
      orders: { status: 'down', code: 'ERR_PING_TIMEOUT' },
    });
  });
});

it('Terminus’ own pingCheck proves the key as well, since connect() includes the handshake', async () => {
  const { stock } = await terminus();
  const server = await startServer();
  const port = portOf(server);
  const check = (ring = keyring) =>
    stock.pingCheck('orders', { customClass: SealwireClient, options: { port, keyring: ring } } as never);
  expect(await check()).toMatchObject({ orders: { status: 'up' } });
  expect(await check(newKeyring())).toMatchObject({ orders: { status: 'down' } });
});
