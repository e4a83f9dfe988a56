import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { isHostAllowed, isOriginListed, isOwnOrigin } from './allowed-hosts.js';
import type { AllowedHost } from './allowed-hosts.js';
import { serveDocs } from './docs.js';
import { HttpFailure } from './failure/http-failure.js';
import { answerUnreadable } from './failure/unreadable-call.js';
import { InFlight } from './in-flight.js';

const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;

/** Sets the HTTP limits, and adds the middleware that every call passes before any route, in this order. */
export function configureEdge(app: NestExpressApplication): void {
  const { http } = app.get<Settings>(settings.KEY);
  const server: Server = app.getHttpServer();
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS; // the body included
  server.keepAliveTimeout = http.keepAliveMs;
  const inFlight = app.get(InFlight);
  server.on('clientError', (error, socket: Duplex) => {
    if (inFlight.hasBegunToAnswer(socket))
      socket.destroy(); // the text of a failure would become part of that answer
    else answerUnreadable(error, socket);
  });
  app.set('trust proxy', http.trustedProxies);
  app.use(
    // The app serves plain HTTP, by default on loopback, so no header may redirect a browser to HTTPS.
    helmet({
      strictTransportSecurity: false,
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    }),
  );
  app.use(inFlight.track);
  app.use(allowHosts(http.allowedHosts));
  serveDocs(app);
}

function allowHosts(allowed: readonly AllowedHost[]) {
  return ({ headers }: IncomingMessage, _response: ServerResponse, next: (error?: unknown) => void): void => {
    const { host, origin } = headers;
    if (!isHostAllowed(host, allowed)) {
      next(
        new HttpFailure(
          'ERR_HOST_NOT_ALLOWED',
          'The Host header is not in HTTP_ALLOWED_HOSTS; use a listed host, or add this one',
        ),
      );
    } else if (origin !== undefined && !isOwnOrigin(origin, host) && !isOriginListed(origin, allowed)) {
      next(
        new HttpFailure(
          'ERR_ORIGIN_NOT_ALLOWED',
          'The Origin header names neither this app nor an entry of HTTP_ALLOWED_HOSTS',
        ),
      );
    } else {
      next();
    }
  };
}
