import type { z } from 'zod';

import { describeValue, findSecrets, readEnvironment } from './environment.js';
import { StartError } from './start-error.js';

/**
 * Parses the variables `names` with `schema`. Adds the list of variables that are ignored because of a service link.
 *
 * @throws {StartError} One line that names every variable with a wrong value and the values that are allowed.
 */
export function parseEnvironment<Settings>(
  schema: z.ZodType<Settings>,
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Settings & { readonly serviceLinks: readonly string[] } {
  const { values, serviceLinks } = readEnvironment(env, names);
  const secrets = findSecrets(names, values);
  if (secrets.length > 0) {
    const reason = 'the value looks like a key, or contains HTTP_TOKEN. Set another value; a key belongs in a file';
    throw new StartError(secrets.map((name) => `${name} must not be a secret: ${reason}`).join('; '));
  }
  const result = schema.safeParse(values);
  if (result.success) return { ...result.data, serviceLinks };
  const complaints = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    // A rule about several variables is a clause of its own.
    return message.startsWith('must ')
      ? `${name} ${message}`
      : `${name} must be ${message}${describeValue(values[name])}`;
  });
  throw new StartError(complaints.join('; '));
}
