// Each client has a key of its own, which says what it may call. The server gets the label of the key with each message.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { AllowKeys, SealwireClient, SealwireContext, SealwireServer } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';

@Controller()
class InvoicesController {
  @MessagePattern('invoice.read')
  read(@Ctx() context: SealwireContext): string {
    return `read by ${context.getPeer().label}`;
  }

  @MessagePattern('invoice.cancel')
  @AllowKeys('billing')
  cancel(@Ctx() context: SealwireContext): string {
    return `cancelled by ${context.getPeer().label}`;
  }
}

@Module({ controllers: [InvoicesController] })
class InvoicesModule {}

// With key files: `sealwire keyring add` makes such keys, and `sealwire keyring export` the file of one client.
const billing = SecretKey.fromBytes(generateKey(), 'billing', { label: 'billing' });
const reports = SecretKey.fromBytes(generateKey(), 'reports', { label: 'reports', patterns: ['invoice.read'] });

const path = join(await mkdtemp(join(tmpdir(), 'sealwire-')), 'invoices.sock');
const strategy = new SealwireServer({ path, keyring: Keyring.of(billing, reports) });
const app = await NestFactory.createMicroservice<MicroserviceOptions>(InvoicesModule, { strategy, logger: false });
await app.listen();

for (const key of [billing, reports]) {
  const client = new SealwireClient({ path, keyring: Keyring.of(key) });
  for (const pattern of ['invoice.read', 'invoice.cancel']) {
    const answer = lastValueFrom(client.send<string>(pattern, {}));
    console.log(`${key.label}, ${pattern}: ${await answer.catch(({ code }: { code: string }) => code)}`);
  }
  await client.close();
}
await app.close();

// Prints:
// billing, invoice.read: read by billing
// billing, invoice.cancel: cancelled by billing
// reports, invoice.read: read by reports
// reports, invoice.cancel: ERR_FORBIDDEN
