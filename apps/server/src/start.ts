import type { INestMicroservice } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { boundAddress, createApp, listenFailed, listenHttp, logReady, shownAddress } from '@sealwire/app';
import { SealwireServer } from '@sealwire/transport';
import { LegacyServer } from '@sealwire/transport/legacy';

import { AppModule } from './app.module.js';
import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';
import { legacyFailed } from './legacy-failure.js';

const CHANNEL_VARIABLES = { address: 'SEALWIRE_HOST', port: 'SEALWIRE_PORT' };
const PATH_VARIABLES = { address: 'SEALWIRE_PATH', port: 'SEALWIRE_PATH' };
const LEGACY_VARIABLES = { address: 'SEALWIRE_HOST', port: 'LEGACY_PORT' };
const HEALTH_VARIABLES = { address: 'HEALTH_HOST', port: 'HEALTH_PORT' };

/** Starts the channel, the legacy wire if it is on, and the health endpoint. */
export async function startServer(): Promise<void> {
  const app = await createApp(AppModule);
  const config = app.get<Settings>(settings.KEY);
  const channel = app.get(SealwireServer);
  const channelService = connect(app, channel);
  const legacy = app.get<LegacyServer | null>(LegacyServer);
  const legacyService = legacy && connect(app, legacy);
  await app.init();
  await listenChannel(channelService, config);
  if (legacyService && config.legacy) await listenLegacy(legacyService, config.legacy);
  await listenHttp(app, config.health, HEALTH_VARIABLES);
  logReady(app, 'Server', config, {
    channel: boundAddress(channel.unwrap()),
    ...(legacy && { legacy: boundAddress(legacy.unwrap()) }),
    health: `http://${boundAddress(app.getHttpServer())}/health`,
  });
}

function connect(app: NestExpressApplication, strategy: SealwireServer | LegacyServer): INestMicroservice {
  return app.connectMicroservice({ strategy, autoFlushLogs: false }, { inheritAppConfig: true });
}

async function listenChannel(channel: INestMicroservice, { listen }: Settings): Promise<void> {
  const [where, variables] =
    'path' in listen ? [listen.path, PATH_VARIABLES] : [shownAddress(listen.host, listen.port), CHANNEL_VARIABLES];
  await channel.listen().catch((error: unknown) => {
    throw listenFailed(error, where, variables);
  });
}

async function listenLegacy(wire: INestMicroservice, { host, port }: NonNullable<Settings['legacy']>): Promise<void> {
  await wire.listen().catch((error: unknown) => {
    throw legacyFailed(error, shownAddress(host, port), LEGACY_VARIABLES);
  });
}
