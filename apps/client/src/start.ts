import { Logger } from '@nestjs/common';
import { boundAddress, createApp, listenHttp, logReady } from '@sealwire/app';

import { AppModule } from './app.module.js';
import { settings } from './config/registration.js';
import { serverNames } from './config/server-names.js';
import type { Settings } from './config/settings.js';
import { isLoopback } from './http/allowed-hosts.js';
import { configureEdge } from './http/edge.js';

const HTTP_VARIABLES = { address: 'HTTP_HOST', port: 'HTTP_PORT' };

/** Starts the trigger. */
export async function startClient(): Promise<void> {
  const app = await createApp(AppModule);
  const config = app.get<Settings>(settings.KEY);
  const { http } = config;
  configureEdge(app);
  await app.init(); // before it listens, so that a failure here is not reported as a failure to listen
  await listenHttp(app, http, HTTP_VARIABLES);
  const trigger = `http://${boundAddress(app.getHttpServer())}`;
  logReady(app, 'Client', config, {
    trigger,
    docs: `${trigger}/docs`,
    server: serverNames(config),
  });
  if (!isLoopback(http.host) && !http.isForThisHost) warnOfOpenAddress(http);
}

function warnOfOpenAddress({ token, allowsOnlyLoopback }: Settings['http']): void {
  const logger = new Logger('Client');
  if (token === undefined) {
    logger.warn('HTTP_HOST is open to other machines, and any of them can call every handler: set HTTP_TOKEN');
  }
  if (allowsOnlyLoopback) {
    logger.warn(
      'HTTP_HOST is open to other machines, but only requests for loopback names are answered: set HTTP_ALLOWED_HOSTS',
    );
  }
}
