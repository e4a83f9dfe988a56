// Imports nothing of Nest: what is wrong with the settings is told before the rest of the app is loaded.
import { z } from 'zod';

import { isLoopbackName, LOOPBACK_HOSTS } from '../http/allowed-hosts.js';
import { describeValue, findSecrets, readEnvironment } from './environment.js';
import {
  allowedHosts,
  flag,
  host,
  keyPolicy,
  logFormat,
  port,
  remotePort,
  requestsAMinute,
  servers,
  serviceName,
  timeoutMs,
  token,
  trustedProxies,
  unixPath,
} from './fields.js';
import { StartError } from './start-error.js';

export const variables = {
  SEALWIRE_HOST: host.default('127.0.0.1'),
  SEALWIRE_PORT: remotePort.default(8080),
  SEALWIRE_SERVERS: servers.optional(),
  SEALWIRE_PATH: unixPath.optional(),
  SEALWIRE_KEY_FILE: z.string().default('aes_key.bin'),
  SEALWIRE_KEY_POLICY: keyPolicy.default('strict'),
  SEALWIRE_SERVICE: serviceName.default('default'),
  SEALWIRE_CONNECT_TIMEOUT_MS: timeoutMs.default(5_000),
  HTTP_HOST: host.default('127.0.0.1'),
  HTTP_PORT: port.default(3000),
  HTTP_TOKEN: token.optional(),
  HTTP_ALLOWED_HOSTS: allowedHosts.optional(),
  HTTP_RATE_LIMIT: requestsAMinute.default(60_000),
  HTTP_KEEP_ALIVE_MS: timeoutMs.default(5_000),
  HTTP_TRUSTED_PROXIES: trustedProxies.default([]),
  LOG_FORMAT: logFormat.optional(),
  LOG_MESSAGES: flag.default(true),
};

const environment = z
  .object(variables)
  .refine((env) => env.SEALWIRE_PATH === undefined || env.SEALWIRE_SERVERS === undefined, {
    path: ['SEALWIRE_PATH'],
    error: 'left out where SEALWIRE_SERVERS is set',
  })
  .transform((env) => ({
    server: env.SEALWIRE_PATH === undefined ? tcpServer(env) : { path: env.SEALWIRE_PATH },
    keyFile: env.SEALWIRE_KEY_FILE,
    keyPolicy: env.SEALWIRE_KEY_POLICY,
    service: env.SEALWIRE_SERVICE,
    connectTimeoutMs: env.SEALWIRE_CONNECT_TIMEOUT_MS,
    http: {
      host: env.HTTP_HOST,
      port: env.HTTP_PORT,
      token: env.HTTP_TOKEN,
      allowedHosts: env.HTTP_ALLOWED_HOSTS ?? LOOPBACK_HOSTS,
      allowsOnlyLoopback: env.HTTP_ALLOWED_HOSTS === undefined,
      // Who lists loopback names and nothing else says so: a container, for one, whose port is published on loopback.
      isForThisHost: env.HTTP_ALLOWED_HOSTS?.every(({ name }) => isLoopbackName(name)) ?? false,
      requestsAMinute: env.HTTP_RATE_LIMIT,
      keepAliveMs: env.HTTP_KEEP_ALIVE_MS,
      trustedProxies: env.HTTP_TRUSTED_PROXIES,
    },
    logFormat: env.LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    logMessages: env.LOG_MESSAGES,
  }));

export type Settings = ReturnType<typeof parseSettings>;

/** @throws {StartError} One line that names every variable with a wrong value, and says what it may be. */
export function parseSettings(env: NodeJS.ProcessEnv) {
  const names = Object.keys(variables);
  const { values, serviceLinks } = readEnvironment(env, names);
  const secrets = findSecrets(names, values);
  if (secrets.length > 0) {
    const reason = 'it looks like a key, or is HTTP_TOKEN; a key belongs in a file';
    throw new StartError(secrets.map((name) => `${name} must not be a secret: ${reason}`).join('; '));
  }
  const result = environment.safeParse(values);
  if (result.success) return { ...result.data, serviceLinks };
  const complaints = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${name} must be ${message}, ${describeValue(values[name])}`;
  });
  throw new StartError(complaints.join('; '));
}

interface TcpVariables {
  readonly SEALWIRE_SERVERS?: readonly { readonly host: string; readonly port: number }[] | undefined;
  readonly SEALWIRE_HOST: string;
  readonly SEALWIRE_PORT: number;
}

function tcpServer(env: TcpVariables): { readonly host: string; readonly port: number } {
  return env.SEALWIRE_SERVERS?.[0] ?? { host: env.SEALWIRE_HOST, port: env.SEALWIRE_PORT };
}
