// Three servers of one client. One of them is closed while requests run: none fails.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { filter, lastValueFrom, take } from 'rxjs';

@Controller()
class NameController {
  constructor(@Inject('NAME') private readonly name: string) {}

  @MessagePattern('name')
  async reply(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 50)); // work
    return this.name;
  }
}

@Module({ controllers: [NameController] })
class NameModule {}

const folder = await mkdtemp(join(tmpdir(), 'sealwire-'));
const keyFile = join(folder, 'aes_key.bin');
await createKeyFile(keyFile);
const names = ['first', 'second', 'third'];
const servers = names.map((name) => ({ path: join(folder, `${name}.sock`) }));
const [first, ...others] = await Promise.all(names.map(start));

const client = new SealwireClient({ servers, keyFile });
const connected = client.connectionEvents.pipe(filter(({ type }) => type === 'connected'));
await Promise.all([lastValueFrom(connected.pipe(take(3))), client.connect()]); // it dials all servers
console.log(`90 requests were answered by: ${await ask(90)}`);
const answers = ask(90);
await first?.close(); // its running requests finish, and new ones go to the others
console.log(`While one was closed, 90 requests were answered by: ${await answers}`);
console.log(`Afterwards by: ${await ask(90)}`);
await client.close();
for (const app of others) await app.close();

async function start(name: string) {
  const module = { module: NameModule, providers: [{ provide: 'NAME', useValue: name }] };
  const strategy = new SealwireServer({ path: join(folder, `${name}.sock`), keyFile });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { strategy, logger: false });
  await app.listen();
  return app;
}

/** Sends requests at the same time, and returns the names of the servers that have answered. */
async function ask(count: number): Promise<string> {
  const requests = Array.from({ length: count }, () => lastValueFrom(client.send<string>('name', {})));
  return [...new Set(await Promise.all(requests))].sort().join(', ');
}

// Prints:
// 90 requests were answered by: first, second, third
// While one was closed, 90 requests were answered by: first, second, third
// Afterwards by: second, third
