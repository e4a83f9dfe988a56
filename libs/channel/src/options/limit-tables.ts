// The limits of docs/protocol.md §7, by name. Types and checks come from these tables; a test compares the documents with
// them.
import { getHeapStatistics } from 'node:v8';

import { MAX_TIMER_MS } from '../clock.js';
import type { KeyLimits } from '../record/traffic-key.js';
import { MAX_RECORDS } from '../record/traffic-key.js';
import { GIB, HOUR_MS, KIB, MAX_U32, MIB } from './limit-check.js';
import type { Limit, LimitTable } from './limit-check.js';

/** Leaves room next to the largest message, because otherwise it would block all others. */
const roomForLarge = (of: (name: string) => number): number =>
  Math.max(64 * MIB, Math.min(2 * of('maxMessageBytes'), MAX_U32));

export const quarterOfHeap = (): number => Math.floor(getHeapStatistics().heap_size_limit / 4);

/** The limits of bytes, messages and connections. */
export const LIMITS = {
  /** The largest message that this side accepts, in bytes. Default: 8 MiB. */
  maxMessageBytes: { default: 8 * MIB, least: 64 * KIB, greatest: MAX_U32, code: 'ERR_MESSAGE_TOO_LARGE' },
  /**
   * The number of requests and unacknowledged events that a server accepts at the same time on one connection. Default:
   * 1024.
   */
  maxInFlight: { default: 1_024, least: 1, greatest: MAX_U32, code: 'ERR_IN_FLIGHT_LIMIT' },
  /**
   * The bytes of incomplete messages that this side accepts on one connection. Default: 64 MiB, or twice
   * `maxMessageBytes` if that is more.
   */
  maxIncompleteBytes: { default: roomForLarge, least: 64 * KIB, greatest: MAX_U32, code: 'ERR_INCOMPLETE_LIMIT' },
  /**
   * The memory of incomplete messages on all connections of the process. A message that would exceed it is refused. At
   * least `maxMessageBytes`. Default: a quarter of the V8 heap, or `maxIncompleteBytes` if that is more.
   */
  maxIncompleteBytesTotal: {
    default: (of) => Math.max(quarterOfHeap(), of('maxIncompleteBytes')),
    least: (of) => of('maxMessageBytes'),
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /** Bytes that wait to be sealed on one connection. Default: 64 MiB, or twice `maxMessageBytes` if that is more. */
  maxQueuedBytes: {
    default: roomForLarge,
    least: 64 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_QUEUE_FULL',
  },
  /** Messages of a client that wait until the server accepts more. Default: 16384. */
  maxQueuedMessages: { default: 16_384, least: 1, greatest: MAX_U32, code: 'ERR_QUEUE_FULL' },
  /** Sealed bytes that the socket has not flushed. Default: 256 KiB. */
  maxSealedBytes: { default: 256 * KIB, least: 64 * KIB, greatest: MAX_U32 },
  /** Connections of a server that are not authenticated yet. Default: 1024. */
  maxStrangers: { default: 1_024, least: 1, greatest: MAX_U32, code: 'ERR_STRANGER_EVICTED' },
  /**
   * Unauthenticated connections from one address (one /64 in IPv6). Default: 64. For one second, an address may have
   * more, up to half of `maxStrangers`. After that, only connections whose message 1 was verified may exceed the limit.
   */
  maxStrangersPerAddress: { default: 64, least: 1, greatest: MAX_U32, code: 'ERR_STRANGER_EVICTED' },
  /** Authenticated connections of a server; the server closes further ones. Default: 65536. */
  maxConnections: { default: 65_536, least: 1, greatest: MAX_U32, code: 'ERR_OVERLOADED' },
} as const satisfies LimitTable;

/** The limits of time, in milliseconds. */
export const TIMEOUTS = {
  /** The time from the start of `connect()` until the server has proved that it has the key. Default: 5 s. */
  connectMs: { default: 5_000, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_CONNECT_TIMEOUT' },
  /** The time from accept until the client has proved that it has the key. Default: 5 s. */
  handshakeMs: { default: 5_000, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_HANDSHAKE_TIMEOUT' },
  /** The time from the first byte of a record to its last. Default: 30 s; 0 waits forever. */
  recordMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_RECORD_STALLED' },
  /** The time between two fragments of an incomplete message. Default: 30 s; 0 waits forever. */
  messageMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_MESSAGE_STALLED' },
  /** The time for the socket to flush some bytes. Default: 10 s; with 0, only the deadline of 60 s for CREDIT applies. */
  writeMs: { default: 10_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_WRITE_STALLED' },
  /** The time between two PINGs. Default: 30 s; with 0, only `ping()` sends PINGs. */
  pingIntervalMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true },
  /** The time from a PING to its PONG. Default: 60 s; with 0, `ping()` fails only when the connection ends. */
  pongMs: { default: 60_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_PING_TIMEOUT' },
  /** The time that `close()` waits for running calls. Default: 10 s; 0 does not wait. */
  drainMs: { default: 10_000, least: 0, greatest: MAX_TIMER_MS },
  /** The time for which a side continues to read after it has sent CLOSE. Default: 2 s. */
  closeMs: { default: 2_000, least: 1, greatest: MAX_TIMER_MS },
  /**
   * The age at which a session is replaced. A client dials the next connection at a random time in the last 10 % of this
   * age, and uses it once the server has answered; a server asks the client to move to a new one. Default: 1 h (server:
   * 1 h 15 min).
   */
  sessionSoftAgeMs: {
    /** Clients renew before their server does, each at a random time (docs/protocol.md §5.11). */
    default: (_of, side) => (side === 'client' ? HOUR_MS : 1.25 * HOUR_MS),
    least: 1,
    greatest: MAX_TIMER_MS,
    atMost: 'sessionHardAgeMs',
  },
  /** The age at which a session is destroyed together with its open streams. Default: 24 h. */
  sessionHardAgeMs: { default: 24 * HOUR_MS, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_SESSION_EXPIRED' },
  /**
   * The time for which a call of a client waits for a connection, unless it is unsubscribed. Default: 0; with 0, the
   * call fails when a dial fails.
   */
  waitForConnectionMs: { default: 0, least: 0, greatest: MAX_TIMER_MS },
  /**
   * The time after which a client in use resolves the names of its servers again. Default: 30 s; with 0 it does so only
   * when it connects again.
   */
  resolveMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true },
} as const satisfies LimitTable;

/** The pauses of a client between its dials. */
export const REDIAL = {
  /** The first pause before an automatic dial. Pauses double with each failure, and vary at random. Default: 100 ms. */
  minMs: { default: 100, least: 1, greatest: MAX_TIMER_MS, atMost: 'maxMs' },
  /** The longest pause. Default: 30 s. */
  maxMs: { default: 30_000, least: 1, greatest: MAX_TIMER_MS },
} as const satisfies LimitTable;

/** The limits of one traffic key: at a soft limit the sender replaces it, at a hard one the receiver ends the connection. */
export const KEY_LIMITS = {
  /** The bytes after which the sender replaces a key. Default: 1 GiB. */
  softBytes: { default: GIB, least: 1, greatest: Number.MAX_SAFE_INTEGER, atMost: 'hardBytes' },
  /** The bytes after which the receiver refuses a key. Default: 4 GiB. */
  hardBytes: { default: 4 * GIB, least: 1, greatest: Number.MAX_SAFE_INTEGER, code: 'ERR_KEY_EXHAUSTED' },
  /** The records after which the sender replaces a key. Default: 2^20. */
  softRecords: { default: 2 ** 20, least: 1, greatest: MAX_RECORDS, atMost: 'hardRecords' },
  /** The records after which the receiver refuses a key. Default: 2^22. */
  hardRecords: { default: 2 ** 22, least: 1, greatest: MAX_RECORDS, code: 'ERR_KEY_EXHAUSTED' },
  /**
   * The age at which a key is replaced. Default: 1 h. If this is less than 35 minutes, an idle connection is replaced
   * after eight key updates, because a peer accepts only a few more of them without records in between.
   */
  softAgeMs: { default: HOUR_MS, least: 1, greatest: Number.MAX_SAFE_INTEGER, atMost: 'hardAgeMs' },
  /** The age at which a key is refused. Default: 2 h. */
  hardAgeMs: { default: 2 * HOUR_MS, least: 1, greatest: Number.MAX_SAFE_INTEGER, code: 'ERR_KEY_EXHAUSTED' },
} as const satisfies { readonly [Name in keyof KeyLimits]: Limit };
