// Imports nothing of Nest: what is wrong with the settings is told before the rest of the app is loaded.
import { z } from 'zod';

import { describeValue, findSecrets, readEnvironment } from './environment.js';
import { count, flag, host, keyPolicy, logFormat, port, serviceName, unixPath } from './fields.js';
import { StartError } from './start-error.js';

export const variables = {
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
};

const environment = z
  .object(variables)
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
