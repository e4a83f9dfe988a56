// One application that serves HTTP and Sealwire, and a health check that pings over the existing encrypted connection.
import 'reflect-metadata';

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { createKeyFile } from '@sealwire/crypto';
import { drainFirst, SealwireClient, SealwireModule, SealwireServer } from '@sealwire/transport';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';
import { lastValueFrom } from 'rxjs';

const folder = await mkdtemp(join(tmpdir(), 'sealwire-'));
const options = { path: join(folder, 'time.sock'), keyFile: join(folder, 'aes_key.bin') };
await createKeyFile(options.keyFile);

@Controller()
class TimeController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sealwire: SealwireHealthIndicator,
    @Inject('TIME') private readonly time: SealwireClient,
  ) {}

  @MessagePattern('year')
  year(): number {
    return 2026;
  }

  @Get('year')
  getYear(): Promise<number> {
    return lastValueFrom(this.time.send<number>('year', {}));
  }

  @Get('health')
  @HealthCheck()
  check() {
    return this.health.check([() => this.sealwire.pingCheck('time', this.time)]);
  }
}

@Module({
  imports: [TerminusModule, SealwireModule.register({ name: 'TIME', ...options })],
  controllers: [TimeController],
  providers: [SealwireHealthIndicator],
})
class TimeModule {}

const strategy = new SealwireServer(options);
const app = await NestFactory.create(drainFirst(TimeModule, strategy), { logger: false });
app.connectMicroservice<MicroserviceOptions>({ strategy });
await app.startAllMicroservices();
await app.listen(0, '127.0.0.1');

const url = await app.getUrl();
console.log(`GET /year answers ${await (await fetch(`${url}/year`)).text()}`);
const health = (await (await fetch(`${url}/health`)).json()) as { readonly status: string };
console.log(`GET /health answers ${health.status}`);
await app.close();

// Prints:
// GET /year answers 2026
// GET /health answers ok
