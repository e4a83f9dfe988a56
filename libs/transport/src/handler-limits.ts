// The limits that only Nest's client and server have, in addition to those of the channel.
import type { LimitOptions } from '@sealwire/channel';
import { KIB, LIMITS, MAX_U32, quarterOfHeap, resolveLimits, resolveTable } from '@sealwire/channel/internal';
import type { Given, LimitGroups, LimitTable, Limits, Resolved, Side } from '@sealwire/channel/internal';

import { DEFAULT_MAX_JSON_NODES } from './packet/json-check.js';

export const HANDLER_LIMITS = {
  /** JSON values in one received message, counted only if the JSON exceeds 64 KiB. Default: 1,000,000. */
  maxJsonNodes: { default: DEFAULT_MAX_JSON_NODES, least: 1, greatest: MAX_U32, code: 'ERR_MESSAGE_TOO_COMPLEX' },
  /** Running handlers of one connection, including cancelled ones. Default: twice `maxInFlight`. */
  maxRunning: {
    default: (of) => 2 * of('maxInFlight'),
    least: 1,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /**
   * Running handlers of a whole server, including those of lost connections: a handler that never ends keeps its place.
   * Default: 65536.
   */
  maxRunningTotal: { default: 65_536, least: 1, greatest: MAX_U32, code: 'ERR_OVERLOADED' },
  /**
   * The estimated memory in bytes of the messages of the handlers of one connection: raw bytes, the values of JSON,
   * metadata, kept records, and 1 KiB for each handler. Beyond this limit requests fail, and events wait; the waiting
   * events may use the same amount again. Default: half of `maxRunningBytesTotal`.
   */
  maxRunningBytes: {
    default: (of) => Math.ceil(of('maxRunningBytesTotal') / 2),
    least: 32 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /**
   * The estimated memory in bytes of the messages of all running handlers of a server. Default: a quarter of the V8
   * heap.
   */
  maxRunningBytesTotal: {
    default: quarterOfHeap,
    least: 64 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
} as const satisfies LimitTable;

/** The limits of the channel, and those of handlers. The README of `@sealwire/transport` has their defaults and ranges. */
export interface SealwireLimitOptions extends LimitOptions, Given<typeof HANDLER_LIMITS> {}

export type SealwireLimits = Limits & Resolved<typeof HANDLER_LIMITS>;

interface SealwireLimitGroups extends LimitGroups {
  readonly limits?: SealwireLimitOptions;
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option and its allowed values. */
export function resolveSealwireLimits(options: SealwireLimitGroups, side: Side): SealwireLimits {
  const limits = resolveLimits(options, side);
  return { ...limits, ...resolveTable({ ...LIMITS, ...HANDLER_LIMITS }, options.limits ?? {}, side, 'limits.') };
}
