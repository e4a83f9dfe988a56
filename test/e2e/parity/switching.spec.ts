// One application that speaks Nest's own TCP and Sealwire at the same time, as while its clients are switched over.
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, Ctx, MessagePattern, Payload, TcpContext, Transport } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import type { AddressInfo, Server } from 'node:net';
import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { all, newServer, outcome } from '../../support/application.js';
import { endAll, endLater, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

@Controller()
class SharedController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @MessagePattern('tagged', Transport.TCP)
  tagged(@Ctx() context: TcpContext): unknown {
    return [context.getPattern(), context.getArgByIndex(1)];
  }

  @MessagePattern('values')
  values(): Observable<unknown> {
    return of(1, { two: new Date(2) }, null);
  }

  @MessagePattern({ cmd: 'object' })
  object(): string {
    return 'object';
  }
}

@Module({ controllers: [SharedController] })
class SharedModule {}

async function start(): Promise<Readonly<Record<'tcp' | 'sealwire', ClientProxy>>> {
  const app = await NestFactory.create(SharedModule, { logger: false });
  const strategy = newServer({ transportId: Transport.TCP });
  const tcp = app.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP, options: { port: 0 } });
  app.connectMicroservice<MicroserviceOptions>({ strategy });
  await app.startAllMicroservices();
  const { port } = tcp.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
  endLater(app);
  endLater({ close: () => Promise.resolve(client.close()) });
  return { tcp: client, sealwire: newClient(portOf(strategy)) };
}

describe('an application on both transports', () => {
  it.each([
    ['echo', { a: [1, 'two', null], date: new Date(0) }],
    ['echo', 'text'],
    ['values', 0],
    [{ cmd: 'object' }, 0],
  ])('answers %j with the same on both', async (pattern, value) => {
    const { tcp, sealwire } = await start();
    expect(await all(sealwire.send(pattern, value))).toEqual(await all(tcp.send(pattern, value)));
  });

  it('fails with the same fields on both', async () => {
    const { tcp, sealwire } = await start();
    expect(await outcome(sealwire.send('no such', 0))).toBe(await outcome(tcp.send('no such', 0)));
  });

  it('serves handlers that name Transport.TCP on both, with contexts that they can use alike', async () => {
    const { tcp, sealwire } = await start();
    for (const client of [tcp, sealwire]) {
      expect(await outcome(client.send('tagged', 0))).toEqual(['tagged', 'tagged']);
    }
  });
});
