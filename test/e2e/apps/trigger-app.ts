import type { AddressInfo } from 'node:net';

import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { AppModule } from '../../../apps/client/src/app.module.js';
import { CHANNEL } from '../../../apps/client/src/channel/channel.js';
import { settings } from '../../../apps/client/src/config/registration.js';
import { parseSettings } from '../../../apps/client/src/config/settings.js';
import { configureEdge } from '../../../apps/client/src/http/edge.js';
import { FakeChannel } from './fake-channel.js';

/** The client app in this process. */
export interface ClientHere {
  readonly app: NestExpressApplication;
  readonly url: string;
}

export interface TriggerApp extends ClientHere {
  readonly channel: FakeChannel;
}

/** The client app in this process, with a channel that has no wire. */
export async function startTrigger(env: NodeJS.ProcessEnv = {}): Promise<TriggerApp> {
  const channel = new FakeChannel();
  const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
  const builder = moduleOf(env).overrideProvider(KEYRING).useValue(keyring).overrideProvider(CHANNEL).useValue(channel);
  return { channel, ...(await listen(builder)) };
}

/** The client app in this process, with its own channel and the key file of its settings. */
export function startClientHere(env: NodeJS.ProcessEnv): Promise<ClientHere> {
  return listen(moduleOf(env));
}

function moduleOf(env: NodeJS.ProcessEnv): TestingModuleBuilder {
  const builder = Test.createTestingModule({ imports: [AppModule] });
  return builder.overrideProvider(settings.KEY).useValue(parseSettings(env));
}

async function listen(builder: TestingModuleBuilder): Promise<ClientHere> {
  const module = await builder.compile();
  const app = module.createNestApplication<NestExpressApplication>({ bodyParser: false, forceCloseConnections: true });
  app.useLogger(false);
  configureEdge(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}` };
}
