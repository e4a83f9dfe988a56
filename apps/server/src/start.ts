import type { INestMicroservice } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { boundAddress, createApp, listenHttp, logReady, shownAddress } from '@sealwire/app';
import { LegacyServer } from '@sealwire/transport/legacy';

import { AppModule } from './app.module.js';
import { CHANNEL } from './channel/channel.js';
import type { Channel } from './channel/channel.js';
import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';
import { legacyFailed } from './legacy-failure.js';

const LEGACY_VARIABLES = { address: 'SEALWIRE_HOST', port: 'LEGACY_PORT' };
const HEALTH_VARIABLES = { address: 'HEALTH_HOST', port: 'HEALTH_PORT' };

/** Starts the channel, the legacy wire if it is on, and the health endpoint. */
export async function startServer(): Promise<void> {
  const app = await createApp(AppModule);
  const config = app.get<Settings>(settings.KEY);
  const channel = app.get<Channel>(CHANNEL);
  const channelService = connect(app, channel.strategy);
  const legacy = app.get<LegacyServer | null>(LegacyServer);
  const legacyService = legacy && connect(app, legacy);
  await app.init();
  await channel.listen(channelService);
  if (legacyService && config.legacy) await listenLegacy(legacyService, config.legacy);
  await listenHttp(app, config.health, HEALTH_VARIABLES);
  logReady(app, 'Server', config, {
    channel: channel.address,
    ...(legacy && { legacy: boundAddress(legacy.unwrap()) }),
    health: `http://${boundAddress(app.getHttpServer())}/health`,
  });
}

function connect(app: NestExpressApplication, strategy: Channel['strategy'] | LegacyServer): INestMicroservice {
  return app.connectMicroservice({ strategy, autoFlushLogs: false }, { inheritAppConfig: true });
}

async function listenLegacy(wire: INestMicroservice, { host, port }: NonNullable<Settings['legacy']>): Promise<void> {
  await wire.listen().catch((error: unknown) => {
    throw legacyFailed(error, shownAddress(host, port), LEGACY_VARIABLES);
  });
}
