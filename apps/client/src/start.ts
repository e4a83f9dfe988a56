import type { AddressInfo } from 'node:net';

import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Keyring } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { AppModule } from './app.module.js';
import { AppLogger } from './config/logger.js';
import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';
import { isLoopback } from './http/allowed-hosts.js';
import { configureEdge } from './http/edge.js';
import { listenFailed, shownAddress } from './start-failure.js';

const HTTP_VARIABLES = { address: 'HTTP_HOST', port: 'HTTP_PORT' };

/** Starts the trigger. Until it listens the log is held back: a failure is one line. */
export async function startClient(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    abortOnError: false,
    autoFlushLogs: false,
    bodyParser: false,
    bufferLogs: true,
    forceCloseConnections: true,
  });
  const config = app.get<Settings>(settings.KEY);
  configureEdge(app);
  app.enableShutdownHooks(['SIGHUP', 'SIGINT', 'SIGTERM'], { useProcessExit: true });
  await app.init(); // before it listens, so that what fails here is not taken for a failure to listen
  await app.listen(config.http.port, config.http.host).catch((error: unknown) => {
    throw listenFailed(error, shownAddress(config.http.host, config.http.port), HTTP_VARIABLES);
  });
  app.useLogger(new AppLogger(config));
  app.flushLogs();
  logReady(app, config);
}

function logReady(app: NestExpressApplication, { http, server, service, serviceLinks }: Settings): void {
  const logger = new Logger('Client');
  const trigger = urlOf(app.getHttpServer().address());
  logger.log('Ready', {
    trigger,
    docs: `${trigger}/docs`,
    server: 'path' in server ? server.path : `${server.host}:${server.port}`,
    service,
    keyId: app.get<Keyring>(KEYRING, { strict: false }).primary.id,
  });
  for (const name of serviceLinks) {
    logger.warn(`${name} holds the address of a service, as Kubernetes sets it, and counts as not set`);
  }
  if (!isLoopback(http.host)) warnOfOpenAddress(logger, http);
}

function warnOfOpenAddress(logger: Logger, { token, allowsOnlyLoopback, isForThisHost }: Settings['http']): void {
  if (isForThisHost) return;
  if (token === undefined) {
    logger.warn('HTTP_HOST is open to other machines, and whoever reaches it may call every handler: HTTP_TOKEN');
  }
  if (allowsOnlyLoopback) {
    logger.warn(
      'HTTP_HOST is open to other machines, but the trigger answers to loopback names only: HTTP_ALLOWED_HOSTS',
    );
  }
}

function urlOf(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string') return String(bound);
  const { address, family, port } = bound;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
