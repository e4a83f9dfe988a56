// The options that are numbers, in groups, and the limits that they come to.
import type { KeyLimits } from '../record/half-connection.js';
import { KEY_LIMITS, LIMITS, REDIAL, TIMEOUTS } from './limit-tables.js';
import { resolveTable } from './limit.js';
import type { Given, LimitTable, Resolved, Side } from './limit.js';

export interface LimitOptions extends Given<typeof LIMITS> {
  /** When a traffic key is replaced, and when it is refused. */
  readonly key?: Given<typeof KEY_LIMITS>;
}

export type TimeoutOptions = Given<typeof TIMEOUTS>;

export interface RedialOptions extends Given<typeof REDIAL> {
  /**
   * Default true. With false a client dials again automatically only for calls that wait (`timeouts.waitForConnectionMs`) and
   * to renew a connection.
   */
  readonly inBackground?: boolean;
}

/** The options that are numbers, by group. */
export interface LimitGroups {
  /** Numbers of bytes, messages and connections. */
  readonly limits?: LimitOptions;
  /** Times, in milliseconds. */
  readonly timeouts?: TimeoutOptions;
  /** Of a client: connect again in the background, after a loss and after a failure, with pauses that grow. Default false. */
  readonly redial?: boolean | RedialOptions;
}

/** The paths of the options in these groups, which the errors name. */
export const LIMIT_PATHS: readonly string[] = [
  'limits.key',
  'redial.inBackground',
  ...pathsOf('limits', LIMITS),
  ...pathsOf('timeouts', TIMEOUTS),
  ...pathsOf('redial', REDIAL),
  ...pathsOf('limits.key', KEY_LIMITS),
];

export function pathsOf(group: string, table: LimitTable): readonly string[] {
  return Object.keys(table).map((name) => `${group}.${name}`);
}

export type Limits = Resolved<typeof LIMITS> &
  Resolved<typeof TIMEOUTS> & {
    readonly key: KeyLimits;
    readonly redial: Resolved<typeof REDIAL> & { readonly inBackground: boolean };
  };

/**
 * Fills in the defaults, some of which are others at a server than at a client.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - names the option and what it may be.
 */
export function resolveLimits(options: LimitGroups, side: Side = 'client'): Limits {
  const { limits = {}, timeouts = {}, redial = false } = options;
  const { key = {} } = limits;
  const { inBackground = true, ...pauses } = typeof redial === 'boolean' ? { inBackground: redial } : redial;
  return {
    ...resolveTable(LIMITS, limits, side, 'limits.'),
    ...resolveTable(TIMEOUTS, timeouts, side, 'timeouts.'),
    redial: { ...resolveTable(REDIAL, pauses, side, 'redial.'), inBackground },
    key: resolveTable(KEY_LIMITS, key, side, 'limits.key.'),
  };
}
