// The swap: one controller and one caller, first over Nest's Transport.TCP, then over Sealwire.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';

@Controller()
class SumController {
  @MessagePattern('sum')
  sum(@Payload() terms: readonly number[]): number {
    return terms.reduce((sum, term) => sum + term, 0);
  }
}

@Module({ controllers: [SumController] })
class SumModule {}

const keyFile = join(await mkdtemp(join(tmpdir(), 'sealwire-')), 'aes_key.bin');
await createKeyFile(keyFile);

await run('Transport.TCP', { transport: Transport.TCP, options: { port: 0 } }, (port) =>
  ClientProxyFactory.create({ transport: Transport.TCP, options: { port } }),
);
await run(
  'Sealwire',
  { strategy: new SealwireServer({ port: 0, keyFile }) }, // was: transport: Transport.TCP, options: { port }
  (port) => ClientProxyFactory.create({ customClass: SealwireClient, options: { port, keyFile } }),
);

async function run(
  name: string,
  options: MicroserviceOptions,
  createClient: (port: number) => ClientProxy,
): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(SumModule, { ...options, logger: false });
  await app.listen();
  const client = createClient((app.unwrap<Server>().address() as AddressInfo).port);
  console.log(`${name}: 1 + 2 + 3 = ${await lastValueFrom(client.send<number>('sum', [1, 2, 3]))}`);
  await client.close();
  await app.close();
}

// Prints:
// Transport.TCP: 1 + 2 + 3 = 6
// Sealwire: 1 + 2 + 3 = 6
