// The limits that only the ends of Nest have, beside those of the channel.
import type { LimitOptions } from '@sealwire/channel';
import { KIB, LIMITS, MAX_U32, quarterOfHeap, resolveLimits, resolveTable } from '@sealwire/channel/internal';
import type { Given, LimitGroups, LimitTable, Limits, Resolved, Side } from '@sealwire/channel/internal';

import { DEFAULT_MAX_JSON_NODES } from './packet/json-check.js';

export const HANDLER_LIMITS = {
  /** Values in one message of JSON that this side takes, counted above 64 KiB of JSON. Default 1,000,000. */
  maxJsonNodes: { default: DEFAULT_MAX_JSON_NODES, least: 1, greatest: MAX_U32, code: 'ERR_MESSAGE_TOO_COMPLEX' },
  /** Handlers that run at once for one connection, cancelled ones that still run included. Default twice `maxInFlight`. */
  maxRunning: {
    default: (of) => 2 * of('maxInFlight'),
    least: 1,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /** The same for a whole server, connections that are gone included: a handler that never ends keeps its place. Default 65536. */
  maxRunningTotal: { default: 65_536, least: 1, greatest: MAX_U32, code: 'ERR_OVERLOADED' },
  /**
   * Memory of the messages that the handlers of one connection have, in bytes, as it is estimated: raw bytes as they are,
   * JSON with what its values take, metadata, kept records, and 1 KiB for each handler. With more, requests fail and events
   * wait, as many bytes again. Default half of `maxRunningBytesTotal`.
   */
  maxRunningBytes: {
    default: (of) => Math.ceil(of('maxRunningBytesTotal') / 2),
    least: 32 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /** The same for a whole server. Default a quarter of the heap of V8. */
  maxRunningBytesTotal: {
    default: quarterOfHeap,
    least: 64 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
} as const satisfies LimitTable;

export interface SealwireLimitOptions extends LimitOptions, Given<typeof HANDLER_LIMITS> {}

export type SealwireLimits = Limits & Resolved<typeof HANDLER_LIMITS>;

interface SealwireLimitGroups extends LimitGroups {
  readonly limits?: SealwireLimitOptions;
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option and what it may be. */
export function resolveSealwireLimits(options: SealwireLimitGroups, side: Side): SealwireLimits {
  const limits = resolveLimits(options, side);
  return { ...limits, ...resolveTable({ ...LIMITS, ...HANDLER_LIMITS }, options.limits ?? {}, side, 'limits.') };
}
