// Two services: orders checks what it gets, answers, and emits an event that billing handles.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Inject, Injectable, Module, StandardSchemaValidationPipe, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { APP_PIPE, NestFactory } from '@nestjs/core';
import { ClientProxy, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient, SealwireModule, SealwireRecordBuilder, SealwireServer } from '@sealwire/transport';
import type { SealwireContext } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';
import { z } from 'zod';

const folder = await mkdtemp(join(tmpdir(), 'sealwire-'));
const keyFile = join(folder, 'aes_key.bin');
await createKeyFile(keyFile);
const ordersAt = { path: join(folder, 'orders.sock'), keyFile, service: 'orders' };
const billingAt = { path: join(folder, 'billing.sock'), keyFile, service: 'billing' };

const orderSchema = z.object({ article: z.string(), quantity: z.int().min(1, 'The quantity is not 1 or more') });
type Order = z.infer<typeof orderSchema>;

/** Without a pipe no schema is checked. Without the factory the caller gets `Internal server error` only. */
const schemas = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) => new RpcException(issues.map(({ message }) => message).join('; ')),
});

@Injectable()
class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToRpc().getContext<SealwireContext>().getMetadata()?.['tenant'] !== undefined;
  }
}

@Controller()
class OrdersController {
  constructor(@Inject('BILLING') private readonly billing: ClientProxy) {}

  @MessagePattern('order')
  @UseGuards(TenantGuard)
  async order(@Payload({ schema: orderSchema }) data: Order): Promise<string> {
    await lastValueFrom(this.billing.emit('order.created', data), { defaultValue: undefined }); // billing has it
    return `${data.quantity} × ${data.article} ordered`;
  }
}

@Module({
  imports: [SealwireModule.register({ name: 'BILLING', ...billingAt })],
  controllers: [OrdersController],
  providers: [{ provide: APP_PIPE, useValue: schemas }],
})
class OrdersModule {}

@Controller()
class BillingController {
  @EventPattern('order.created')
  bill({ article, quantity }: Order): void {
    console.log(`Billing: an invoice for ${quantity} × ${article}`);
  }
}

@Module({ controllers: [BillingController] })
class BillingModule {}

const apps = [
  await start(BillingModule, new SealwireServer(billingAt)),
  await start(OrdersModule, new SealwireServer(ordersAt)),
];
const client = new SealwireClient(ordersAt);
await order({ article: 'pear', quantity: 2 }, { tenant: 'a' });
await order({ article: 'pear', quantity: 0 }, { tenant: 'a' });
await order({ article: 'pear', quantity: 2 }, {});
await client.close();
for (const app of apps) await app.close();

async function start(module: Type, strategy: SealwireServer) {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { strategy, logger: false });
  await app.listen();
  return app;
}

async function order(payload: Order, metadata: Record<string, string>): Promise<void> {
  const record = new SealwireRecordBuilder(payload).setMetadata(metadata).build();
  const answer = lastValueFrom(client.send<string>('order', record));
  console.log(await answer.catch(({ message }: Error) => `Refused: ${message}`));
}

// Prints:
// Billing: an invoice for 2 × pear
// 2 × pear ordered
// Refused: The quantity is not 1 or more
// Refused: Forbidden resource
