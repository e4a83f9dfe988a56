import { registerAs } from '@nestjs/config';
import type { ConfigType } from '@nestjs/config';
import { z } from 'zod';

import { count, flag, host, keyPolicy, logFormat, port, serviceName, unixPath } from './fields.js';
import { StartError } from './start-error.js';

const environment = z
  .object({
    SEALWIRE_HOST: host.default('127.0.0.1'),
    SEALWIRE_PORT: port.default(8080),
    SEALWIRE_PATH: unixPath.optional(),
    SEALWIRE_KEY_FILE: z.string().default('aes_key.bin'),
    SEALWIRE_KEY_POLICY: keyPolicy.default('strict'),
    SEALWIRE_SERVICE: serviceName.default('default'),
    SEALWIRE_MAX_STRANGERS_PER_ADDRESS: count.default(64),
    LEGACY_PORT: port.optional(),
    LEGACY_KEY_FILE: z.string().optional(),
    HEALTH_HOST: host.default('127.0.0.1'),
    HEALTH_PORT: port.default(8081),
    LOG_FORMAT: logFormat.optional(),
    LOG_MESSAGES: flag.default(true),
  })
  .superRefine(({ LEGACY_PORT, LEGACY_KEY_FILE, SEALWIRE_PORT, SEALWIRE_PATH }, context) => {
    const complain = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    if (LEGACY_PORT === undefined && LEGACY_KEY_FILE !== undefined) {
      complain('LEGACY_PORT', 'the port of the legacy wire where LEGACY_KEY_FILE is set');
    }
    if (LEGACY_PORT !== undefined && LEGACY_KEY_FILE === undefined) {
      complain('LEGACY_KEY_FILE', 'the key file of the legacy wire where LEGACY_PORT is set');
    }
    if (LEGACY_PORT === SEALWIRE_PORT && LEGACY_PORT !== 0 && SEALWIRE_PATH === undefined) {
      complain('LEGACY_PORT', 'another port than SEALWIRE_PORT');
    }
  })
  .transform((env) => ({
    listen:
      env.SEALWIRE_PATH === undefined
        ? { host: env.SEALWIRE_HOST, port: env.SEALWIRE_PORT }
        : { path: env.SEALWIRE_PATH },
    keyFile: env.SEALWIRE_KEY_FILE,
    keyPolicy: env.SEALWIRE_KEY_POLICY,
    service: env.SEALWIRE_SERVICE,
    maxStrangersPerAddress: env.SEALWIRE_MAX_STRANGERS_PER_ADDRESS,
    legacy:
      env.LEGACY_PORT === undefined || env.LEGACY_KEY_FILE === undefined
        ? undefined
        : { host: env.SEALWIRE_HOST, port: env.LEGACY_PORT, keyFile: env.LEGACY_KEY_FILE },
    health: { host: env.HEALTH_HOST, port: env.HEALTH_PORT },
    logFormat: env.LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    logMessages: env.LOG_MESSAGES,
  }));

/** The settings of this app: inject them by `settings.KEY`. */
export const settings = registerAs('server', () => parseSettings(process.env));

export type Settings = ConfigType<typeof settings>;

/** @throws {StartError} One line that names every variable with a wrong value, and says what it may be. */
export function parseSettings(env: NodeJS.ProcessEnv): z.infer<typeof environment> {
  // Compose passes a variable that is not set on as an empty one.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = environment.safeParse(given);
  if (result.success) return result.data;
  const complaints = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = given[name];
    return `${name} must be ${message}, ${value === undefined ? 'and is not set' : `not ${JSON.stringify(value)}`}`;
  });
  throw new StartError(complaints.join('; '));
}
