import type { AddressInfo } from 'node:net';

import { Logger } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { KEYRING } from '@sealwire/crypto/nest';
import type { Keyring } from '@sealwire/crypto';
import { SealwireServer } from '@sealwire/transport';
import { LegacyRawServer } from '@sealwire/transport/legacy';

import { AppModule } from './app.module.js';
import { AppLogger } from './config/logger.js';
import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';
import { legacyFailed, listenFailed, shownAddress } from './start-failure.js';

/**
 * Starts the channel, the legacy wire where it is on, and the health endpoint. Until all of them listen the log is held
 * back: a failure is one line.
 */
export async function startServer(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    abortOnError: false,
    autoFlushLogs: false,
    bodyParser: false,
    bufferLogs: true,
    forceCloseConnections: true,
  });
  const config = app.get<Settings>(settings.KEY);
  app.disable('x-powered-by');
  app.enableShutdownHooks(['SIGHUP', 'SIGINT', 'SIGTERM'], { useProcessExit: true });
  const channel = connect(app, app.get(SealwireServer));
  const legacy = config.legacy && new LegacyRawServer({ ...config.legacy, channelKeyring: keyringOf(app) });
  const legacyWire = legacy && connect(app, legacy);
  await app.init();
  await listenChannel(channel, config);
  if (legacyWire !== undefined) await listenLegacy(legacyWire, config);
  await listenHealth(app, config);
  app.useLogger(new AppLogger(config));
  app.flushLogs();
  logReady(app, config, legacy);
}

function connect(app: NestExpressApplication, strategy: SealwireServer | LegacyRawServer): INestMicroservice {
  return app.connectMicroservice({ strategy, autoFlushLogs: false }, { inheritAppConfig: true });
}

function keyringOf(app: NestExpressApplication): Keyring {
  return app.get<Keyring>(KEYRING, { strict: false });
}

async function listenChannel(channel: INestMicroservice, { listen: at }: Settings): Promise<void> {
  const where = 'path' in at ? at.path : shownAddress(at.host, at.port);
  const variables = 'path' in at ? { address: 'SEALWIRE_PATH', port: 'SEALWIRE_PATH' } : CHANNEL_VARIABLES;
  await channel.listen().catch((error: unknown) => {
    throw listenFailed(error, where, variables);
  });
}

async function listenLegacy(legacyWire: INestMicroservice, { legacy }: Settings): Promise<void> {
  await legacyWire.listen().catch((error: unknown) => {
    throw legacyFailed(error, shownAddress(legacy?.host ?? '', legacy?.port ?? 0), LEGACY_VARIABLES);
  });
}

async function listenHealth(app: NestExpressApplication, { health }: Settings): Promise<void> {
  await app.listen(health.port, health.host).catch((error: unknown) => {
    throw listenFailed(error, shownAddress(health.host, health.port), HEALTH_VARIABLES);
  });
}

const CHANNEL_VARIABLES = { address: 'SEALWIRE_HOST', port: 'SEALWIRE_PORT' };
const LEGACY_VARIABLES = { address: 'SEALWIRE_HOST', port: 'LEGACY_PORT' };
const HEALTH_VARIABLES = { address: 'HEALTH_HOST', port: 'HEALTH_PORT' };

function logReady(
  app: NestExpressApplication,
  { service, serviceLinks }: Settings,
  legacy: LegacyRawServer | undefined,
): void {
  const logger = new Logger('Server');
  logger.log('Ready', {
    channel: addressOf(app.get(SealwireServer).unwrap()),
    service,
    keyId: keyringOf(app).primary.id,
    ...(legacy && { legacy: addressOf(legacy.unwrap()) }),
    health: `http://${addressOf(app.getHttpServer())}/health`,
  });
  for (const name of serviceLinks) {
    logger.warn(`${name} holds the address of a service, as Kubernetes sets it, and counts as not set`);
  }
}

function addressOf(server: { address(): AddressInfo | string | null }): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return String(address);
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
