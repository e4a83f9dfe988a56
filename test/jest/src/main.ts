import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireServer } from '@sealwire/transport';
import { LegacyContext } from '@sealwire/transport/legacy';
import { AppModule } from './app.module';

async function bootstrap() {
  const strategy = new SealwireServer({ port: 0, keyFile: 'aes_key.bin' });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, { strategy, logger: ['error'] });
  await app.listen();
  process.stdout.write(`listens, and knows ${LegacyContext.name}\n`);
  await app.close();
}
void bootstrap();
