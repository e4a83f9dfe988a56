// A stream that has no end: the server reads it only as fast as the client takes it, and stops when the client does.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { firstValueFrom, lastValueFrom, Subject, take, toArray } from 'rxjs';

const BLOCK_BYTES = 65_536;
/** The numbers of blocks that the generators of the server have made, when they ended. */
const ended = new Subject<number>();

@Controller()
class BlocksController {
  @MessagePattern('blocks')
  async *blocks(): AsyncGenerator<Buffer> {
    let count = 0;
    try {
      for (;;) yield Buffer.alloc(BLOCK_BYTES, count++);
    } finally {
      ended.next(count);
    }
  }
}

@Module({ controllers: [BlocksController] })
class BlocksModule {}

const folder = await mkdtemp(join(tmpdir(), 'sealwire-'));
const options = { path: join(folder, 'blocks.sock'), keyFile: join(folder, 'aes_key.bin') };
await createKeyFile(options.keyFile);
const strategy = new SealwireServer(options);
const app = await NestFactory.createMicroservice<MicroserviceOptions>(BlocksModule, { strategy, logger: false });
await app.listen();

const client = new SealwireClient(options);
const whenEnded = firstValueFrom(ended);
const blocks = await lastValueFrom(client.send<Buffer>('blocks', {}).pipe(take(3), toArray())); // unsubscribes
console.log(`The client took ${blocks.length} blocks of ${BLOCK_BYTES} bytes`);
const count = await whenEnded;
console.log(`The generator of the server has ended, after fewer than 1000 blocks: ${count < 1000}`);
await client.close();
await app.close();

// Prints:
// The client took 3 blocks of 65536 bytes
// The generator of the server has ended, after fewer than 1000 blocks: true
