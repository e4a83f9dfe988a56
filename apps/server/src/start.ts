import type { AddressInfo } from 'node:net';

import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { KEYRING } from '@sealwire/crypto/nest';
import type { Keyring } from '@sealwire/crypto';
import { SealwireServer } from '@sealwire/transport';

import { AppModule } from './app.module.js';
import { AppLogger } from './config/logger.js';
import { settings } from './config/settings.js';
import type { Settings } from './config/settings.js';
import { listenFailed } from './start-failure.js';

/** Starts the channel and the health endpoint. Until both listen the log is held back: a failure is one line. */
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
  app.connectMicroservice({ strategy: app.get(SealwireServer), autoFlushLogs: false }, { inheritAppConfig: true });
  await app.init();
  await listen(app, config);
  app.useLogger(new AppLogger(config));
  app.flushLogs();
  logReady(app, config);
}

async function listen(app: NestExpressApplication, { listen: at, health }: Settings): Promise<void> {
  const channel = 'path' in at ? at.path : `${at.host}:${at.port}`;
  const variables = 'path' in at ? { address: 'SEALWIRE_PATH', port: 'SEALWIRE_PATH' } : CHANNEL_VARIABLES;
  await app.startAllMicroservices().catch((error: unknown) => {
    throw listenFailed(error, channel, variables);
  });
  await app.listen(health.port, health.host).catch((error: unknown) => {
    throw listenFailed(error, `${health.host}:${health.port}`, HEALTH_VARIABLES);
  });
}

const CHANNEL_VARIABLES = { address: 'SEALWIRE_HOST', port: 'SEALWIRE_PORT' };
const HEALTH_VARIABLES = { address: 'HEALTH_HOST', port: 'HEALTH_PORT' };

function logReady(app: NestExpressApplication, { service }: Settings): void {
  new Logger('Server').log('Ready', {
    channel: addressOf(app.get(SealwireServer).unwrap()),
    service,
    keyId: app.get<Keyring>(KEYRING, { strict: false }).primary.id,
    health: `http://${addressOf(app.getHttpServer())}/health`,
  });
}

function addressOf(server: { address(): AddressInfo | string | null }): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return String(address);
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
