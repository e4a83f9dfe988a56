import type { AddressInfo } from 'node:net';

import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { AppModule } from '../../../apps/client/src/app.module.js';
import { CHANNEL } from '../../../apps/client/src/channel.js';
import { settings } from '../../../apps/client/src/config/registration.js';
import { parseSettings } from '../../../apps/client/src/config/settings.js';
import { configureEdge } from '../../../apps/client/src/http/edge.js';
import { FakeChannel } from './fake-channel.js';

export interface TriggerApp {
  readonly app: NestExpressApplication;
  readonly channel: FakeChannel;
  readonly url: string;
}

/** The client app in this process, with a channel that has no wire. */
export async function startTrigger(env: NodeJS.ProcessEnv = {}): Promise<TriggerApp> {
  const channel = new FakeChannel();
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(settings.KEY)
    .useValue(parseSettings(env))
    .overrideProvider(KEYRING)
    .useValue(Keyring.of(SecretKey.fromBytes(generateKey())))
    .overrideProvider(CHANNEL)
    .useValue(channel)
    .compile();
  const app = module.createNestApplication<NestExpressApplication>({ bodyParser: false, forceCloseConnections: true });
  app.useLogger(false);
  configureEdge(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, channel, url: `http://127.0.0.1:${port}` };
}
