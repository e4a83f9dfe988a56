// Imports nothing of Nest: the settings are checked before Nest is loaded.
import { commonSettings, commonVariables, host, parseEnvironment, port, wholeNumber } from '@sealwire/app/settings';
import { z } from 'zod';

export const variables = {
  SEALWIRE_PORT: port.default(8080),
  SEALWIRE_MAX_STRANGERS_PER_ADDRESS: wholeNumber(1, 999_999).default(64),
  LEGACY_PORT: port.optional(),
  LEGACY_KEY_FILE: z.string().optional(),
  HEALTH_HOST: host.default('127.0.0.1'),
  HEALTH_PORT: port.default(8081),
  ...commonVariables,
};

const environment = z
  .object(variables)
  .superRefine(({ LEGACY_PORT, LEGACY_KEY_FILE, SEALWIRE_PORT, SEALWIRE_PATH }, context) => {
    const complain = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    if (LEGACY_PORT === undefined && LEGACY_KEY_FILE !== undefined) {
      complain('LEGACY_PORT', 'must be set, because LEGACY_KEY_FILE is set');
    }
    if (LEGACY_PORT !== undefined && LEGACY_KEY_FILE === undefined) {
      complain('LEGACY_KEY_FILE', 'must be set, because LEGACY_PORT is set');
    }
    if (LEGACY_PORT === SEALWIRE_PORT && LEGACY_PORT !== 0 && SEALWIRE_PATH === undefined) {
      complain('LEGACY_PORT', 'a port other than SEALWIRE_PORT');
    }
  })
  .transform((env) => ({
    ...commonSettings(env),
    listen:
      env.SEALWIRE_PATH === undefined
        ? { host: env.SEALWIRE_HOST, port: env.SEALWIRE_PORT }
        : { path: env.SEALWIRE_PATH },
    maxStrangersPerAddress: env.SEALWIRE_MAX_STRANGERS_PER_ADDRESS,
    legacy:
      env.LEGACY_PORT === undefined || env.LEGACY_KEY_FILE === undefined
        ? undefined
        : { host: env.SEALWIRE_HOST, port: env.LEGACY_PORT, keyFile: env.LEGACY_KEY_FILE },
    health: { host: env.HEALTH_HOST, port: env.HEALTH_PORT },
  }));

export type Settings = ReturnType<typeof parseSettings>;

/** @throws {StartError} One line that names every variable with a wrong value and the values that are allowed. */
export function parseSettings(env: NodeJS.ProcessEnv) {
  return parseEnvironment(environment, Object.keys(variables), env);
}
