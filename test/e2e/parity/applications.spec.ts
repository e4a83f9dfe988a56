// The ways to start an application on Sealwire, and what a hybrid one does with several microservices.
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Injectable, Module } from '@nestjs/common';
import type { CallHandler, ExecutionContext, INestMicroservice, NestInterceptor } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { AsyncMicroserviceOptions, MicroserviceOptions } from '@nestjs/microservices';
import { SealwireClient, SealwireContext, SealwireServer } from '@sealwire/transport';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { arrived, newServer, outcome, startApplication, startCaller } from '../../support/application.js';
import { endAll, endLater, keyring, newKeyring, portOf } from '../../support/pair.js';

afterEach(() => endAll());

@Injectable()
class Settings {
  readonly server = { port: 0, keyring };
}

@Controller()
class NotingController {
  readonly events: unknown[] = [];

  @MessagePattern('greet')
  greet(@Payload() name: string): string {
    return `Hello ${name}`;
  }

  @MessagePattern('key')
  key(@Ctx() context: SealwireContext): string {
    return context.getKeyId();
  }

  @EventPattern('noted')
  noted(@Payload() value: unknown): void {
    this.events.push(value);
  }
}

@Module({ controllers: [NotingController], providers: [Settings] })
class NotingModule {}

class Exclaim implements NestInterceptor {
  intercept(_host: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value) => `${String(value)}!`));
  }
}

const listeningPort = (app: INestMicroservice): number => (app.unwrap<Server>().address() as AddressInfo).port;

async function createHybrid() {
  const app = await NestFactory.create(NotingModule, { logger: false });
  endLater(app);
  return app;
}

describe('createMicroservice()', () => {
  it('accepts the strategy of a factory that has injected providers', async () => {
    const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(NotingModule, {
      inject: [Settings],
      useFactory: ({ server }: Settings) => ({ strategy: new SealwireServer(server) }),
      logger: false,
    });
    endLater(app);
    await app.listen();
    const client = await startCaller(listeningPort(app));
    expect(await outcome(client.send('greet', 'you'))).toBe('Hello you');
  });

  it('creates an application that may be closed twice', async () => {
    const { app, client } = await startApplication({ controllers: [NotingController] });
    expect(await outcome(client.send('greet', 'you'))).toBe('Hello you');
    await Promise.all([app.close(), app.close()]);
    await app.close();
    expect(await outcome(client.send('greet', 'you'))).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });
});

describe('connectMicroservice()', () => {
  it.each([
    ['made of the result of app.get()', ({ server }: Settings) => ({ strategy: new SealwireServer(server) })],
    [
      'of a factory that has injected providers',
      () => ({
        inject: [Settings],
        useFactory: ({ server }: Settings) => ({ strategy: new SealwireServer(server) }),
      }),
    ],
  ])('accepts a strategy %s', async (_what, options) => {
    const app = await createHybrid();
    const microservice = app.connectMicroservice(options(app.get(Settings)));
    await app.startAllMicroservices();
    const client = await startCaller(listeningPort(microservice));
    expect(await outcome(client.send('greet', 'you'))).toBe('Hello you');
  });

  it('initializes enhancers of that microservice later with deferInitialization', async () => {
    const app = await createHybrid();
    const [strict, plain] = [newServer(), newServer()];
    const deferred = app.connectMicroservice<MicroserviceOptions>({ strategy: strict }, { deferInitialization: true });
    app.connectMicroservice<MicroserviceOptions>({ strategy: plain });
    deferred.useGlobalInterceptors(new Exclaim());
    await app.startAllMicroservices();
    const clients = await Promise.all([strict, plain].map((server) => startCaller(portOf(server))));
    const answers = clients.map((client) => outcome(client.send('greet', 'you')));
    expect(await Promise.all(answers)).toEqual(['Hello you!', 'Hello you']);
  });
});

describe('two microservices of one hybrid application', () => {
  const start = async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sealwire-hybrid-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const path = join(directory, 's.sock');
    const partnerKeyring = newKeyring();
    const onPort = newServer();
    const onPath = new SealwireServer({ path, keyring: partnerKeyring });
    const app = await createHybrid();
    for (const strategy of [onPort, onPath]) app.connectMicroservice<MicroserviceOptions>({ strategy });
    await app.startAllMicroservices();
    const partner = new SealwireClient({ path, keyring: partnerKeyring });
    endLater(partner);
    const client = await startCaller(portOf(onPort));
    return { app, client, partner, partnerKeyring, path };
  };

  it('serve the same handlers, each at its own address and under its own key', async () => {
    const { app, client, partner, partnerKeyring, path } = await start();
    expect(await outcome(client.send('key', 0))).toBe(keyring.primary.id);
    expect(await outcome(partner.send('key', 0))).toBe(partnerKeyring.primary.id);
    await Promise.all([arrived(client.emit('noted', 1)), arrived(partner.emit('noted', 2))]);
    expect(new Set(app.get(NotingController).events)).toEqual(new Set([1, 2]));
    const stranger = new SealwireClient({ path, keyring });
    endLater(stranger);
    expect(await outcome(stranger.send('key', 0))).toMatchObject({ code: 'ERR_ALERT', sent: false });
  });

  it('end with their application', async () => {
    const { app, client, partner } = await start();
    await Promise.all([client.ping(), partner.ping()]);
    await app.close();
    for (const caller of [client, partner]) {
      expect(await outcome(caller.send('key', 0))).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    }
  });
});
