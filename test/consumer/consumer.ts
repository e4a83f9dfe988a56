// What an application writes against the published declarations. It is compiled with those of Nest 11 and of Nest 12, and
// never run.
import 'reflect-metadata';
import { Controller, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, Ctx, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';
import type { SealedNatsContext, SealedNatsOptions } from '@sealwire/brokers';
import { createKeyFile, loadKeyring } from '@sealwire/crypto';
import { CryptoModule } from '@sealwire/crypto/nest';
import {
  drainFirst,
  RemoteError,
  SEALWIRE,
  SealwireClient,
  SealwireContext,
  SealwireModule,
  SealwireRecordBuilder,
  SealwireServer,
  TransportError,
} from '@sealwire/transport';
import type {
  ClientConnectionEvent,
  SealwireClientOptions,
  SealwireClientSnapshot,
  SealwireServerOptions,
  SealwireServerSnapshot,
  ServerConnectionEvent,
} from '@sealwire/transport';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';
import type { Observable } from 'rxjs';

const clientOptions: SealwireClientOptions = { port: 8080, keyFile: 'aes_key.bin', redial: true };
const serverOptions: SealwireServerOptions = { ...clientOptions, transportId: Transport.TCP };

@Controller()
export class SumController {
  constructor(
    @Inject('SUMS') private readonly sums: ClientProxy,
    @Inject(SealwireHealthIndicator) private readonly health: SealwireHealthIndicator,
  ) {}

  @MessagePattern('sum', SEALWIRE)
  async *sum(@Payload() terms: readonly number[], @Ctx() context: SealwireContext): AsyncGenerator<number> {
    const port: number | undefined = context.getSocketRef().remotePort;
    const metadata: Readonly<Record<string, string>> | undefined = context.getMetadata();
    for (const term of terms) if (!context.getSignal().aborted) yield term + (port ?? 0) + Number(metadata?.['more']);
  }

  ask(): Observable<number> {
    const record = new SealwireRecordBuilder([1, 2]).setTimeoutMs(500).setMetadata({ more: '1' }).build();
    return this.sums.send<number>('sum', record);
  }

  check(client: SealwireClient): Promise<object> {
    return this.health.pingCheck('sums', client, { timeoutMs: 500 });
  }
}

@Module({
  imports: [
    CryptoModule.forRoot({ keyFile: 'aes_key.bin' }),
    ClientsModule.register([{ name: 'SUMS', customClass: SealwireClient, options: clientOptions }]),
    SealwireModule.register({ name: 'OTHERS', ...clientOptions }),
    SealwireModule.registerAsync({ name: 'LATER', inject: ['PORT'], useFactory: (port: number) => ({ port }) }),
  ],
  controllers: [SumController],
  providers: [SealwireHealthIndicator],
})
class AppModule {}

export async function main(): Promise<void> {
  await createKeyFile('aes_key.bin');
  const strategy = new SealwireServer({ ...serverOptions, keyring: await loadKeyring('aes_key.bin') });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(drainFirst(AppModule, strategy), { strategy });
  strategy.connectionEvents.subscribe((event: ServerConnectionEvent) => event.type);
  strategy.status.subscribe((status: string) => status);
  strategy.on('listening', () => undefined);
  await app.listen();
  const snapshot: SealwireServerSnapshot = strategy.snapshot();
  await watch(new SealwireClient(clientOptions), snapshot.connections);
}

async function watch(client: SealwireClient, connections: number): Promise<void> {
  client.connectionEvents.subscribe((event: ClientConnectionEvent) => event.type);
  const { roundTripMs }: SealwireClientSnapshot = client.snapshot();
  try {
    await client.ping();
  } catch (error) {
    if (error instanceof TransportError && error.sent === false) return;
    if (error instanceof RemoteError) throw new Error(`${roundTripMs ?? connections}`, { cause: error });
  }
}

const natsOptions: SealedNatsOptions = {
  servers: 'nats://localhost:4222',
  queue: 'sums',
  seal: { keyFile: 'aes_key.bin', service: 'sums', replayStore: { claim: () => Promise.resolve(true) } },
};

export class SealedOrders {
  readonly strategy = new SealedNatsServer(natsOptions);
  readonly clients = ClientsModule.register([{ name: 'NATS', customClass: SealedNatsClient, options: natsOptions }]);

  @MessagePattern('orders.of')
  of(@Ctx() context: SealedNatsContext): string {
    return `${context.getSubject()} of ${context.getPeer().keyId}, after ${this.strategy.refusals.replay} replays`;
  }
}
