// The limits of docs/protocol.md §7, by name. Every one can be configured; every one has an error code.
import { getHeapStatistics } from 'node:v8';

import { TransportError } from '../errors.js';
import type { KeyLimits } from '../record/half-connection.js';
import { MAX_RECORDS } from '../record/traffic-key.js';
import { checkOption, OBJECT, oneOf, show } from './option-check.js';

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;
const HOUR_MS = 3_600_000;
export const DEFAULT_MAX_JSON_NODES = 1_000_000;

export interface LimitOptions {
  /** The largest message this side takes, in bytes. Default 8 MiB, at least 64 KiB. */
  readonly maxMessageBytes?: number;
  /** Values in one message of JSON that this side takes, counted above 64 KiB of JSON. Default 1,000,000. */
  readonly maxJsonNodes?: number;
  /** How many requests and unacknowledged events a server takes at once on one connection. Default 1024. */
  readonly maxInFlight?: number;
  /**
   * Bytes of messages begun and not finished that this side takes on one connection. Default 64 MiB, or twice
   * `maxMessageBytes` where that is more.
   */
  readonly maxIncompleteBytes?: number;
  /**
   * Memory of incomplete messages, of all connections of the process. With more a message is refused. At least
   * `maxMessageBytes`. Default a quarter of what V8 takes as the size of the heap, or `maxIncompleteBytes` if that is more.
   */
  readonly maxIncompleteBytesTotal?: number;
  /** Handlers that run at once for one connection, cancelled ones that still run included. Default twice `maxInFlight`. */
  readonly maxRunning?: number;
  /** The same for a whole server, connections that are gone included: a handler that never ends keeps its place. Default 65536. */
  readonly maxRunningTotal?: number;
  /**
   * Memory of the messages that the handlers of one connection have, in bytes, as it is estimated: raw bytes as they are,
   * JSON with what its values take, metadata, kept records, and 1 KiB for each handler. With more, requests fail and events wait, as many bytes again. Default half of
   * `maxRunningBytesTotal`.
   */
  readonly maxRunningBytes?: number;
  /** The same for a whole server. Default a quarter of what V8 takes as the size of the heap. */
  readonly maxRunningBytesTotal?: number;
  /** Bytes that wait to be sealed on one connection. Default 64 MiB, or twice `maxMessageBytes` where that is more. */
  readonly maxQueuedBytes?: number;
  /** Messages of a client that wait for the server to take more. Default 16384. */
  readonly maxQueuedMessages?: number;
  /** Bytes sealed and not yet taken by the socket. Default 256 KiB. */
  readonly maxSealedBytes?: number;
  /** Connections of a server that have not proved the key yet. Default 1024. */
  readonly maxStrangers?: number;
  /**
   * The same from one address (one /64 in IPv6). Default 64. A crowd may have half of all places for a second, and as long
   * as the handshakes of its members go on.
   */
  readonly maxStrangersPerAddress?: number;
  /** Connections of a server that have proved the key; one more is turned away. Default 65536. */
  readonly maxConnections?: number;
  /** From the start of `connect()` until the server has proved the key. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** From accept until the client has proved the key. Default 5 s. */
  readonly handshakeTimeoutMs?: number;
  /** A record that has begun has to be complete by then. Default 30 s; 0 waits for ever. */
  readonly recordTimeoutMs?: number;
  /** A message that has begun has to make progress by then. Default 30 s; 0 waits for ever. */
  readonly messageTimeoutMs?: number;
  /** A socket has to take something by then. Default 10 s; 0 waits until CREDIT is 60 s late. */
  readonly writeTimeoutMs?: number;
  /** Between two PINGs. Default 30 s; 0 sends none but those of `ping()`. */
  readonly pingIntervalMs?: number;
  /** From a PING to its PONG. Default 60 s; with 0 no peer is too late, and `ping()` waits for as long as the connection lives. */
  readonly pongTimeoutMs?: number;
  /** How long `close()` waits for what is running. Default 10 s; 0 does not wait. */
  readonly drainTimeoutMs?: number;
  /** How long a side that has sent CLOSE goes on reading. Default 2 s. */
  readonly closeTimeoutMs?: number;
  /**
   * The age at which a session is replaced. A client dials the next connection then, up to 10 % earlier by chance, and moves
   * when that has answered; a server asks the client to move. Default 1 h for a client, 1 h 15 min for a server.
   */
  readonly sessionSoftAgeMs?: number;
  /** The age at which a session is destroyed, with all that is still open on it. Default 24 h. */
  readonly sessionHardAgeMs?: number;
  /**
   * How long a call of a client waits while there is no connection, unless it is unsubscribed. Default 0: it fails with the
   * first dial.
   */
  readonly waitForConnectionMs?: number;
  /** The pause before a client dials again by itself; it doubles with every failure, and varies by chance. Default 100 ms. */
  readonly redialMinMs?: number;
  /** The longest of those pauses. Default 30 s. */
  readonly redialMaxMs?: number;
  /**
   * When a traffic key is replaced, and when it is refused. By default it is replaced after 1 h, 1 GiB or 2^20 records. With
   * a soft age of less than 35 minutes the connection is replaced as well after eight such keys: a peer takes few more.
   */
  readonly key?: Partial<KeyLimits>;
}

export type Limits = { readonly [Name in Exclude<keyof LimitOptions, 'key'>]-?: number } & { readonly key: KeyLimits };

const MAX_U32 = 0xffff_ffff;
export const MAX_TIMER_MS = 0x7fff_ffff;

type Range = readonly [fallback: number, least: number, greatest: number];
/** What 0 turns off (docs/adr/0011): it lies at infinity then, where no deadline expires. */
const CAN_BE_OFF: readonly string[] = [
  'recordTimeoutMs',
  'messageTimeoutMs',
  'writeTimeoutMs',
  'pingIntervalMs',
  'pongTimeoutMs',
] satisfies readonly (keyof LimitOptions)[];

const KEY_RANGES: { readonly [Name in keyof KeyLimits]: Range } = {
  softBytes: [GIB, 1, Number.MAX_SAFE_INTEGER],
  hardBytes: [4 * GIB, 1, Number.MAX_SAFE_INTEGER],
  softRecords: [2 ** 20, 1, MAX_RECORDS],
  hardRecords: [2 ** 22, 1, MAX_RECORDS],
  softAgeMs: [HOUR_MS, 1, Number.MAX_SAFE_INTEGER],
  hardAgeMs: [2 * HOUR_MS, 1, Number.MAX_SAFE_INTEGER],
};

/** Limits whose default depends on others, or on the machine. */
type DerivedLimit = 'maxIncompleteBytesTotal' | 'maxRunning' | 'maxRunningBytes' | 'maxRunningBytesTotal';

const RANGES: { readonly [Name in Exclude<keyof LimitOptions, 'key' | DerivedLimit>]-?: Range } = {
  maxMessageBytes: [8 * MIB, 64 * KIB, MAX_U32],
  maxJsonNodes: [DEFAULT_MAX_JSON_NODES, 1, MAX_U32],
  maxInFlight: [1_024, 1, MAX_U32],
  maxIncompleteBytes: [64 * MIB, 64 * KIB, MAX_U32],
  maxRunningTotal: [65_536, 1, MAX_U32],
  maxQueuedBytes: [64 * MIB, 64 * KIB, Number.MAX_SAFE_INTEGER],
  maxQueuedMessages: [16_384, 1, MAX_U32],
  maxSealedBytes: [256 * KIB, 64 * KIB, MAX_U32],
  maxStrangers: [1_024, 1, MAX_U32],
  maxStrangersPerAddress: [64, 1, MAX_U32],
  maxConnections: [65_536, 1, MAX_U32],
  connectTimeoutMs: [5_000, 1, MAX_TIMER_MS],
  handshakeTimeoutMs: [5_000, 1, MAX_TIMER_MS],
  recordTimeoutMs: [30_000, 0, MAX_TIMER_MS],
  messageTimeoutMs: [30_000, 0, MAX_TIMER_MS],
  writeTimeoutMs: [10_000, 0, MAX_TIMER_MS],
  pingIntervalMs: [30_000, 0, MAX_TIMER_MS],
  pongTimeoutMs: [60_000, 0, MAX_TIMER_MS],
  drainTimeoutMs: [10_000, 0, MAX_TIMER_MS],
  closeTimeoutMs: [2_000, 1, MAX_TIMER_MS],
  sessionSoftAgeMs: [HOUR_MS, 1, MAX_TIMER_MS],
  sessionHardAgeMs: [24 * HOUR_MS, 1, MAX_TIMER_MS],
  waitForConnectionMs: [0, 0, MAX_TIMER_MS],
  redialMinMs: [100, 1, MAX_TIMER_MS],
  redialMaxMs: [30_000, 1, MAX_TIMER_MS],
};

export const LIMIT_NAMES: readonly string[] = [
  ...Object.keys(RANGES),
  'maxIncompleteBytesTotal',
  'maxRunning',
  'maxRunningBytes',
  'maxRunningBytesTotal',
  'key',
];

/** Clients come first, each at a moment of its own (docs/protocol.md §5.11). */
const SERVER_SOFT_AGE_MS = 1.25 * HOUR_MS;

/**
 * Fills in the defaults, some of which are others at a server than at a client.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - names the option and what it may be.
 */
export function resolveLimits(options: LimitOptions, side: 'client' | 'server' = 'client'): Limits {
  checkOption('The options', options, OBJECT);
  const [largestBytes, ...range] = RANGES.maxMessageBytes;
  const changed = {
    ...roomForLarge(checkLimit('maxMessageBytes', options.maxMessageBytes ?? largestBytes, ...range)),
    ...(side === 'server' ? { sessionSoftAgeMs: SERVER_SOFT_AGE_MS } : {}),
  };
  const resolve = (name: keyof typeof RANGES): number => {
    const [fallback, least, greatest] = RANGES[name];
    const limit = checkLimit(name, options[name] ?? changed[name] ?? fallback, least, greatest);
    return limit === 0 && CAN_BE_OFF.includes(name) ? Infinity : limit;
  };
  const names = Object.keys(RANGES) as readonly (keyof typeof RANGES)[];
  const limits = Object.fromEntries(names.map((name) => [name, resolve(name)])) as Record<keyof typeof RANGES, number>;
  checkOrder('sessionSoftAgeMs', limits.sessionSoftAgeMs, 'sessionHardAgeMs', limits.sessionHardAgeMs);
  checkOrder('redialMinMs', limits.redialMinMs, 'redialMaxMs', limits.redialMaxMs);
  return { ...limits, ...resolveDerived(options, limits), key: resolveKeyLimits(options.key) };
}

function resolveDerived(
  options: LimitOptions,
  { maxInFlight, maxMessageBytes, maxIncompleteBytes }: Record<keyof typeof RANGES, number>,
): Pick<Limits, DerivedLimit> {
  const check = (name: DerivedLimit, fallback: number, least: number): number =>
    checkLimit(name, options[name] ?? fallback, least, Number.MAX_SAFE_INTEGER);
  const quarterOfHeap = Math.floor(getHeapStatistics().heap_size_limit / 4);
  const maxRunningBytesTotal = check('maxRunningBytesTotal', quarterOfHeap, 64 * KIB);
  const maxRunningBytes = check('maxRunningBytes', Math.ceil(maxRunningBytesTotal / 2), 32 * KIB);
  return {
    maxIncompleteBytesTotal: check(
      'maxIncompleteBytesTotal',
      Math.max(quarterOfHeap, maxIncompleteBytes),
      maxMessageBytes,
    ),
    maxRunning: check('maxRunning', 2 * maxInFlight, 1),
    maxRunningBytes,
    maxRunningBytesTotal,
  };
}

function resolveKeyLimits(options: Partial<KeyLimits> = {}): KeyLimits {
  checkOption('key', options, OBJECT);
  const names = Object.keys(KEY_RANGES) as readonly (keyof KeyLimits)[];
  for (const name of Object.keys(options)) checkOption('The name of a limit in key', name, oneOf(...names));
  const resolve = (name: keyof KeyLimits): number => {
    const [fallback, least, greatest] = KEY_RANGES[name];
    const { [name]: value = fallback } = options;
    return checkLimit(`key.${name}`, value, least, greatest);
  };
  const key = Object.fromEntries(names.map((name) => [name, resolve(name)])) as Record<keyof KeyLimits, number>;
  checkOrder('key.softBytes', key.softBytes, 'key.hardBytes', key.hardBytes);
  checkOrder('key.softRecords', key.softRecords, 'key.hardRecords', key.hardRecords);
  checkOrder('key.softAgeMs', key.softAgeMs, 'key.hardAgeMs', key.hardAgeMs);
  return key;
}

function checkOrder(lesserName: string, lesser: number, greaterName: string, greater: number): void {
  if (lesser <= greater) return;
  throw new TransportError(
    'ERR_BAD_OPTION',
    `${lesserName} is ${lesser}; it must be at most ${greaterName}, ${greater}`,
  );
}

/** Defaults where large messages are taken: beside one of them there must be room, or it would hold up all others. */
function roomForLarge(maxMessageBytes: number): Partial<Record<keyof typeof RANGES, number>> {
  const bytes = Math.min(2 * maxMessageBytes, MAX_U32);
  return bytes > 64 * MIB ? { maxIncompleteBytes: bytes, maxQueuedBytes: bytes } : {};
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option and what it may be. */
export function checkLimit(name: string, value: number, least: number, greatest: number): number {
  if (Number.isInteger(value) && value >= least && value <= greatest) return value;
  throw new TransportError(
    'ERR_BAD_OPTION',
    `${name} is ${show(value)}; it must be an integer from ${least} to ${greatest}`,
  );
}
