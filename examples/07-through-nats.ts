// The same handlers behind a broker: two servers of a queue group share the requests, and NATS sees sealed bytes only.
// It needs a NATS server, for example `nats-server` of Debian's package, at NATS_URL or on the usual port.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';
import { createKeyFile } from '@sealwire/crypto';
import { lastValueFrom } from 'rxjs';

const keyFile = join(await mkdtemp(join(tmpdir(), 'sealwire-')), 'aes_key.bin');
await createKeyFile(keyFile);
const servers = process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222';
const options = { servers, seal: { keyFile, service: 'greetings' } };

@Controller()
class GreetingController {
  constructor(@Inject('NAME') private readonly name: string) {}

  @MessagePattern('greet')
  greet(@Payload() who: string): string {
    return `Hello ${who}, says ${this.name}`;
  }
}

@Module({ controllers: [GreetingController] })
class GreetingModule {}

const apps = await Promise.all(['first', 'second'].map(start)).catch((error: unknown) => {
  console.error(
    `No NATS server at ${servers}: start one, or set NATS_URL to the address of another one. ${String(error)}`,
  );
  process.exit(1);
});
const client = new SealedNatsClient(options);
const requests = Array.from({ length: 100 }, () => lastValueFrom(client.send<string>('greet', 'Ada')));
console.log([...new Set(await Promise.all(requests))].sort().join('\n'));
await client.close();
for (const app of apps) await app.close();

async function start(name: string) {
  const module = { module: GreetingModule, providers: [{ provide: 'NAME', useValue: name }] };
  const strategy = new SealedNatsServer({ ...options, queue: 'greetings' });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { strategy, logger: false });
  await app.listen();
  await strategy.unwrap<{ flush(): Promise<void> }>().flush(); // the broker has the subscriptions
  return app;
}

// Prints:
// Hello Ada, says first
// Hello Ada, says second
