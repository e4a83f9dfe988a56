// Imports nothing of Nest: the settings are checked before Nest is loaded.
import {
  commonSettings,
  commonVariables,
  flag,
  host,
  parseEnvironment,
  port,
  remotePort,
  wholeNumber,
} from '@sealwire/app/settings';
import { z } from 'zod';

import { isLoopbackName, LOOPBACK_HOSTS } from '../http/allowed-hosts.js';
import { allowedHosts, servers, token, trustedProxies } from './fields.js';

const timeoutMs = wholeNumber(1, 86_400_000, 'a whole number of milliseconds'); // at most a day

export const variables = {
  SEALWIRE_PORT: remotePort.optional(),
  SEALWIRE_SERVERS: servers.optional(),
  SEALWIRE_CONNECT_TIMEOUT_MS: timeoutMs.default(5_000),
  HTTP_HOST: host.default('127.0.0.1'),
  HTTP_PORT: port.default(3000),
  HTTP_TOKEN: token.optional(),
  HTTP_ALLOWED_HOSTS: allowedHosts.optional(),
  HTTP_RATE_LIMIT: wholeNumber(1, 999_999_999).default(60_000),
  HTTP_KEEP_ALIVE_MS: timeoutMs.default(5_000),
  HTTP_TRUSTED_PROXIES: trustedProxies.default([]),
  WIRE_TAP: flag.default(false),
  ...commonVariables,
  SEALWIRE_HOST: host.optional(),
};

/** They name one server, so SEALWIRE_SERVERS takes their place. */
const ONE_SERVER = ['SEALWIRE_HOST', 'SEALWIRE_PORT', 'SEALWIRE_PATH'] as const;

const environment = z
  .object(variables)
  .superRefine((env, context) => {
    for (const name of ONE_SERVER)
      if (env.SEALWIRE_SERVERS !== undefined && env[name] !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'must not be set if SEALWIRE_SERVERS is set' });
  })
  .refine((env) => env.SEALWIRE_BROKER === undefined || env.SEALWIRE_SERVERS === undefined, {
    path: ['SEALWIRE_SERVERS'],
    error: 'must not be set if SEALWIRE_BROKER is set',
  })
  .transform((env) => ({
    ...commonSettings(env),
    server: env.SEALWIRE_PATH === undefined ? tcpServers(env) : { path: env.SEALWIRE_PATH },
    connectTimeoutMs: env.SEALWIRE_CONNECT_TIMEOUT_MS,
    wireTap: env.WIRE_TAP,
    http: {
      host: env.HTTP_HOST,
      port: env.HTTP_PORT,
      token: env.HTTP_TOKEN,
      allowedHosts: env.HTTP_ALLOWED_HOSTS ?? LOOPBACK_HOSTS,
      allowsOnlyLoopback: env.HTTP_ALLOWED_HOSTS === undefined,
      // If only loopback names are allowed, only this machine calls, as in a container whose port is published on loopback.
      isForThisHost: env.HTTP_ALLOWED_HOSTS?.every(({ name }) => isLoopbackName(name)) ?? false,
      requestsAMinute: env.HTTP_RATE_LIMIT,
      keepAliveMs: env.HTTP_KEEP_ALIVE_MS,
      trustedProxies: env.HTTP_TRUSTED_PROXIES,
    },
  }));

export type Settings = ReturnType<typeof parseSettings>;

/** @throws {StartError} One line that names every variable with a wrong value and the values that are allowed. */
export function parseSettings(env: NodeJS.ProcessEnv) {
  return parseEnvironment(environment, Object.keys(variables), env);
}

interface TcpVariables {
  readonly SEALWIRE_SERVERS?: readonly { readonly host: string; readonly port: number }[] | undefined;
  readonly SEALWIRE_HOST?: string | undefined;
  readonly SEALWIRE_PORT?: number | undefined;
}

function tcpServers({ SEALWIRE_SERVERS, SEALWIRE_HOST = '127.0.0.1', SEALWIRE_PORT = 8080 }: TcpVariables) {
  if (SEALWIRE_SERVERS !== undefined) return { servers: SEALWIRE_SERVERS };
  return { host: SEALWIRE_HOST, port: SEALWIRE_PORT };
}
