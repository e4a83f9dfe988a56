import type { AddressInfo } from 'node:net';

import { Logger } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { WatchedKeyFile } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { AppLogger } from './app-logger.js';
import { reloadSignal } from './reload-signal.js';
import type { CommonSettings } from './settings/index.js';
import { listenFailed, shownAddress } from './start-failure.js';
import type { ListenerVariables } from './start-failure.js';

/** Creates an app that shuts down on SIGINT and SIGTERM, and loads its keys again on SIGHUP. Its log is buffered until {@link logReady}, so that a failure is one line. */
export async function createApp(root: Type): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(root, {
    abortOnError: false,
    autoFlushLogs: false,
    bodyParser: false,
    bufferLogs: true,
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  const keys = keysOf(app);
  reloadSignal.connect(() => keys.reload());
  return app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
}

/** @throws {StartError} If the app cannot listen there. */
export async function listenHttp(
  app: NestExpressApplication,
  { host, port }: { readonly host: string; readonly port: number },
  variables: ListenerVariables,
): Promise<void> {
  await app.listen(port, host).catch((error: unknown) => {
    throw listenFailed(error, shownAddress(host, port), variables);
  });
}

interface LogSettings extends Pick<CommonSettings, 'logFormat' | 'service'> {
  readonly serviceLinks: readonly string[];
}

/** Writes the buffered log, then the entry that the app is ready. */
export function logReady(
  app: NestExpressApplication,
  name: 'Client' | 'Server',
  { logFormat, service, serviceLinks }: LogSettings,
  addresses: Readonly<Record<string, string>>,
): void {
  app.useLogger(new AppLogger(name.toLowerCase(), logFormat));
  app.flushLogs();
  const logger = new Logger(name);
  logger.log('Ready', { ...addresses, service, keyId: keyIdOf(app, name) });
  for (const variable of serviceLinks) {
    logger.warn(
      `${variable} is ignored, because it contains the address of a Kubernetes Service: to use this setting, rename the Service`,
    );
  }
}

export function keysOf(app: NestExpressApplication): WatchedKeyFile {
  return app.get<WatchedKeyFile>(KEYRING, { strict: false });
}

/** Returns the key with which a client dials, or, for a server without a primary key, all keys that it accepts. */
function keyIdOf(app: NestExpressApplication, name: 'Client' | 'Server'): string {
  const { primary, ids } = keysOf(app).status;
  if (primary !== undefined) return primary;
  return name === 'Client' || ids.length === 0 ? 'none' : ids.join(', ');
}

/** Returns `host:port`, or the path of a socket. */
export function boundAddress(server: { address(): AddressInfo | string | null }): string {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return String(bound);
  const { address, family, port } = bound;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
