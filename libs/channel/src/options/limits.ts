// The numeric options, in groups, and the limits that result from them.
import type { KeyLimits } from '../record/traffic-key.js';
import { KEY_LIMITS, LIMITS, REDIAL, TIMEOUTS } from './limit-tables.js';
import { resolveTable } from './limit-check.js';
import type { Given, LimitTable, Resolved, Side } from './limit-check.js';

/** The bounds of sizes, counts and queues. The README of `@sealwire/transport` has their defaults and ranges. */
export interface LimitOptions extends Given<typeof LIMITS> {
  /** The limits of one traffic key, at which it is replaced or refused. */
  readonly key?: Given<typeof KEY_LIMITS>;
}

/** The deadlines and intervals in milliseconds. The README of `@sealwire/transport` has their defaults and ranges. */
export type TimeoutOptions = Given<typeof TIMEOUTS>;

/** The options for dialing again. */
export interface RedialOptions extends Given<typeof REDIAL> {
  /**
   * Whether a client also dials again in the background. If false, it dials again automatically only for waiting calls
   * (`timeouts.waitForConnectionMs`) and to renew a connection. Default: true.
   */
  readonly inBackground?: boolean;
}

/** The numeric options, by group. */
export interface LimitGroups {
  /** Numbers of bytes, messages and connections. */
  readonly limits?: LimitOptions;
  /** Times, in milliseconds. */
  readonly timeouts?: TimeoutOptions;
  /**
   * Whether a client reconnects in the background after a loss or a failed dial, with growing pauses. Default: false.
   */
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
 * Fills in the defaults, some of which differ between a server and a client.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - names the option and its allowed values.
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
