import type { AddressInfo } from 'node:net';

import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import { AppModule } from '../../../apps/server/src/app.module.js';
import { CHANNEL } from '../../../apps/server/src/channel/channel.js';
import type { Channel } from '../../../apps/server/src/channel/channel.js';
import { settings } from '../../../apps/server/src/config/registration.js';
import { parseSettings } from '../../../apps/server/src/config/settings.js';

/** The server app in this process, without its health endpoint. */
export interface ServerHere {
  readonly app: INestApplication;
  /** Its address as SEALWIRE_SERVERS has it, or the path of its socket. */
  readonly channel: string;
}

export async function startServerHere(env: NodeJS.ProcessEnv): Promise<ServerHere> {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(settings.KEY)
    .useValue(parseSettings({ SEALWIRE_PORT: '0', ...env }))
    .compile();
  const app = module.createNestApplication({ bodyParser: false });
  app.useLogger(false);
  const { strategy } = app.get<Channel>(CHANNEL);
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  await app.init();
  await app.startAllMicroservices();
  const address = strategy.unwrap<{ address(): AddressInfo | string }>().address();
  return { app, channel: typeof address === 'string' ? address : `${address.address}:${address.port}` };
}
