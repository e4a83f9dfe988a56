// Reads settings from the environment, which may also contain service links. A wrong value may be a secret that was meant
// for another variable, so it is described and not quoted.
import { isKeyText } from '@sealwire/crypto';

/** The value of NAME_PORT that Kubernetes and `docker run --link` set for each service with the name NAME. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//;
const SHOWN = /^-?\d{1,6}$/; // a port or a limit that is out of range
const MIN_TOKEN_CHARACTERS = 8; // a shorter one may be part of a value by chance

export interface Environment {
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Settings that count as not set because they contain the address of a service. */
  readonly serviceLinks: readonly string[];
}

/** Omits service links, and empty variables, because Compose passes unset ones as empty. `names` are the settings. */
export function readEnvironment(env: NodeJS.ProcessEnv, names: readonly string[]): Environment {
  const given = Object.entries(env).filter(([, value]) => value !== '');
  return {
    values: Object.fromEntries(given.filter((entry) => !isServiceLink(entry))),
    serviceLinks: given
      .filter(isServiceLink)
      .map(([name]) => name)
      .filter((name) => names.includes(name)),
  };
}

function isServiceLink([name, value = '']: readonly [string, string | undefined]): boolean {
  return name.endsWith('_PORT') && SERVICE_LINK.test(value);
}

/** Completes "NAME must be …" with the wrong value; shows only a number. */
export function describeValue(value: string | undefined): string {
  if (value === undefined) return ', but is not set';
  return SHOWN.test(value) ? `, not ${value}` : `; its value (length ${value.length}, not shown) is wrong`;
}

/** Returns the settings whose value looks like a key or contains HTTP_TOKEN, because the app would print them. */
export function findSecrets(names: readonly string[], values: Environment['values']): readonly string[] {
  const { HTTP_TOKEN: token = '' } = values;
  return names.filter((name) => {
    const value = values[name];
    if (value === undefined || name === 'HTTP_TOKEN') return false;
    const holdsToken = token.length >= MIN_TOKEN_CHARACTERS && value.includes(token);
    return holdsToken || isKeyText(value);
  });
}
