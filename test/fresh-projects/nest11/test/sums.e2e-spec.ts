import type { INestApplication } from '@nestjs/common';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { WatchedKeyFile } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';
import { SealwireServer } from '@sealwire/transport';
import { firstValueFrom } from 'rxjs';
import { AppModule } from './../src/app.module';

describe('The client of the application', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const strategy = new SealwireServer({ path: 'sums.sock', keyFile: 'aes_key.bin' });
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    app.connectMicroservice<MicroserviceOptions>({ strategy });
    await app.startAllMicroservices();
  });

  afterAll(() => app.close());

  it('calls a handler', async () => {
    const sums = app.get<ClientProxy>('SUMS');
    expect(await firstValueFrom(sums.send('sum', [1, 2]))).toBe(3);
  });

  it('shares the key file of the application', () => {
    expect(app.get(KEYRING)).toBeInstanceOf(WatchedKeyFile);
  });
});
