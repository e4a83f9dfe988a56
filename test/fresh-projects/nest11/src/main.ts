import { NestFactory } from '@nestjs/core';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { SealwireServer } from '@sealwire/transport';
import { LegacyContext } from '@sealwire/transport/legacy';
import { firstValueFrom } from 'rxjs';
import { AppModule } from './app.module';

async function bootstrap() {
  const strategy = new SealwireServer({
    path: 'sums.sock',
    keyFile: 'aes_key.bin',
  });
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  app.connectMicroservice<MicroserviceOptions>({ strategy });
  await app.startAllMicroservices();
  const sum = app.get<ClientProxy>('SUMS').send<number>('sum', [1, 2]);
  console.log(`${await firstValueFrom(sum)}, ${LegacyContext.name}`);
  await app.close();
}
void bootstrap();
