import { Controller, Get, Inject, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheck, HealthCheckService, MicroserviceHealthIndicator, TerminusModule } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SealwireClient, SealwireModule } from '@sealwire/transport';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';
import { rootModule, startApplication, startCaller } from '../support/application.js';
import type { Application } from '../support/application.js';
import { endAll, endLater, keyring, newKeyring, portOf } from '../support/pair.js';

afterEach(() => endAll());

async function terminus() {
  const imports = [TerminusModule.forRoot({ logger: false })];
  const root = rootModule({ imports, providers: [SealwireHealthIndicator] });
  const app = await NestFactory.createApplicationContext(root, { logger: false });
  endLater(app);
  return {
    own: app.get(SealwireHealthIndicator),
    stock: await app.resolve(MicroserviceHealthIndicator),
    health: await app.resolve(HealthCheckService),
  };
}

describe('SealwireHealthIndicator', () => {
  it('reports up with the round-trip time, over the existing connection', async () => {
    const { own, health } = await terminus();
    const { client, server } = await startApplication({});
    await client.connect();
    let connections = 0;
    server.on('connection', () => void connections++);
    const result = await health.check([() => own.pingCheck('orders', client)]);
    expect(result.details['orders']).toEqual({ status: 'up', roundTripMs: expect.any(Number) as number });
    expect(connections).toBe(0);
  });

  it.each([
    ['does not listen', ({ app }: Application) => app.close(), {}, 'ERR_CONNECT_FAILED'],
    ['has another key', () => undefined, { keyring: newKeyring() }, 'ERR_ALERT'],
  ])('reports down with the reason when the server %s', async (_what, prepare, options, code) => {
    const { own } = await terminus();
    const application = await startApplication({});
    const port = portOf(application.server);
    await prepare(application);
    const result = await own.pingCheck('orders', await startCaller(port, options));
    expect(result.orders).toEqual({ status: 'down', code, message: expect.any(String) as string });
  });

  it('shows only the code of a failure of the keys, and logs its message once', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    endLater({ close: async () => warn.mockRestore() });
    const { own } = await terminus();
    const { server } = await startApplication({});
    const key = SecretKey.fromBytes(generateKey());
    const expired = Keyring.ofRing([{ key, state: 'primary', notAfter: Date.now() - 1_000 }]);
    const client = await startCaller(portOf(server), { keyring: expired });
    for (let probes = 0; probes < 2; probes++) {
      expect(await own.pingCheck('orders', client)).toEqual({
        orders: {
          status: 'down',
          code: 'ERR_KEYRING_NO_PRIMARY',
          message: 'The keys cannot be used now; the log has the reason',
        },
      });
    }
    const reasons = warn.mock.calls.filter(([message]) => String(message).includes(key.id));
    expect(reasons).toEqual([[expect.stringMatching(/may be used only until .* \(ERR_KEYRING_NO_PRIMARY\)$/)]]);
  });

  it('reports down when the server does not answer in time', async () => {
    const { own } = await terminus();
    const { client } = await startApplication({});
    await client.connect();
    client.unwrap().pause();
    expect(await own.pingCheck('orders', client, { timeoutMs: 20 })).toMatchObject({
      orders: { status: 'down', code: 'ERR_PING_TIMEOUT' },
    });
  });
});

it('Terminus’ own pingCheck authenticates the server as well, because connect() includes the handshake', async () => {
  const { stock } = await terminus();
  const { server } = await startApplication({});
  const port = portOf(server);
  const check = (ring = keyring) =>
    stock.pingCheck('orders', { customClass: SealwireClient, options: { port, keyring: ring } } as never);
  expect(await check()).toMatchObject({ orders: { status: 'up' } });
  expect(await check(newKeyring())).toMatchObject({ orders: { status: 'down' } });
});

@Controller()
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(SealwireHealthIndicator) private readonly sealwire: SealwireHealthIndicator,
    @Inject(MicroserviceHealthIndicator) private readonly microservice: MicroserviceHealthIndicator,
    @Inject('ORDERS') private readonly orders: SealwireClient,
    @Inject('OPTIONS') private readonly options: object,
  ) {}

  @Get('health')
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    const stock = { customClass: SealwireClient, options: this.options };
    return this.health.check([
      () => this.sealwire.pingCheck('orders', this.orders),
      () => this.microservice.pingCheck('stock', stock as never),
    ]);
  }
}

describe('a health endpoint over HTTP', () => {
  it('is 200 with both checks while the server is up, and 503 with both once it is gone', async () => {
    const { app, server } = await startApplication({});
    const options = { port: portOf(server), keyring };
    const imports = [
      TerminusModule.forRoot({ logger: false }),
      SealwireModule.register({ name: 'ORDERS', ...options }),
    ];
    const providers = [SealwireHealthIndicator, { provide: 'OPTIONS', useValue: options }];
    const root = rootModule({ imports, providers, controllers: [HealthController] });
    const web = await NestFactory.create(root, { logger: false });
    endLater(web);
    await web.listen(0, '127.0.0.1');
    const url = `${await web.getUrl()}/health`;
    const [up, down] = [{ status: 'up' }, { status: 'down' }];
    const healthy = await fetch(url);
    expect(healthy.status).toBe(200);
    expect(await healthy.json()).toMatchObject({ status: 'ok', details: { orders: up, stock: up } });
    await app.close();
    const sick = await fetch(url);
    expect(sick.status).toBe(503);
    expect(await sick.json()).toMatchObject({ status: 'error', details: { orders: down, stock: down } });
  });
});
