// The limits of docs/protocol.md §7, by name: types and checks come from these tables, and the documents are held to them.
import { getHeapStatistics } from 'node:v8';

import type { KeyLimits } from '../record/half-connection.js';
import { MAX_RECORDS } from '../record/traffic-key.js';
import { GIB, HOUR_MS, KIB, MAX_TIMER_MS, MAX_U32, MIB } from './limit.js';
import type { Limit, LimitTable } from './limit.js';

/** Room beside the largest message, or it would hold up all others. */
const roomForLarge = (of: (name: string) => number): number =>
  Math.max(64 * MIB, Math.min(2 * of('maxMessageBytes'), MAX_U32));

export const quarterOfHeap = (): number => Math.floor(getHeapStatistics().heap_size_limit / 4);

/** Of bytes, messages and connections. */
export const LIMITS = {
  /** The largest message that this side takes, in bytes. Default 8 MiB. */
  maxMessageBytes: { default: 8 * MIB, least: 64 * KIB, greatest: MAX_U32, code: 'ERR_MESSAGE_TOO_LARGE' },
  /** How many requests and unacknowledged events a server takes at once on one connection. Default 1024. */
  maxInFlight: { default: 1_024, least: 1, greatest: MAX_U32, code: 'ERR_IN_FLIGHT_LIMIT' },
  /**
   * Bytes of messages begun and not finished that this side takes on one connection. Default 64 MiB, or twice
   * `maxMessageBytes` if that is more.
   */
  maxIncompleteBytes: { default: roomForLarge, least: 64 * KIB, greatest: MAX_U32, code: 'ERR_INCOMPLETE_LIMIT' },
  /**
   * Memory of incomplete messages, of all connections of the process. With more a message is refused. At least
   * `maxMessageBytes`. Default a quarter of the heap of V8, or `maxIncompleteBytes` if that is more.
   */
  maxIncompleteBytesTotal: {
    default: (of) => Math.max(quarterOfHeap(), of('maxIncompleteBytes')),
    least: (of) => of('maxMessageBytes'),
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_OVERLOADED',
  },
  /** Bytes that wait to be sealed on one connection. Default 64 MiB, or twice `maxMessageBytes` if that is more. */
  maxQueuedBytes: {
    default: roomForLarge,
    least: 64 * KIB,
    greatest: Number.MAX_SAFE_INTEGER,
    code: 'ERR_QUEUE_FULL',
  },
  /** Messages of a client that wait for the server to take more. Default 16384. */
  maxQueuedMessages: { default: 16_384, least: 1, greatest: MAX_U32, code: 'ERR_QUEUE_FULL' },
  /** Bytes sealed and not yet taken by the socket. Default 256 KiB. */
  maxSealedBytes: { default: 256 * KIB, least: 64 * KIB, greatest: MAX_U32 },
  /** Connections of a server that have not proved the key yet. Default 1024. */
  maxStrangers: { default: 1_024, least: 1, greatest: MAX_U32, code: 'ERR_STRANGER_EVICTED' },
  /**
   * The same from one address (one /64 in IPv6). Default 64. A crowd may have half of all places for a second, and as long
   * as the handshakes of its members go on.
   */
  maxStrangersPerAddress: { default: 64, least: 1, greatest: MAX_U32, code: 'ERR_STRANGER_EVICTED' },
  /** Connections of a server that have proved the key; one more is turned away. Default 65536. */
  maxConnections: { default: 65_536, least: 1, greatest: MAX_U32, code: 'ERR_OVERLOADED' },
} as const satisfies LimitTable;

/** Of time, in milliseconds. */
export const TIMEOUTS = {
  /** From the start of `connect()` until the server has proved the key. Default 5 s. */
  connectMs: { default: 5_000, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_CONNECT_TIMEOUT' },
  /** From accept until the client has proved the key. Default 5 s. */
  handshakeMs: { default: 5_000, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_HANDSHAKE_TIMEOUT' },
  /** A record that has begun has to be complete by then. Default 30 s; 0 waits for ever. */
  recordMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_RECORD_STALLED' },
  /** A message that has begun has to make progress by then. Default 30 s; 0 waits for ever. */
  messageMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_MESSAGE_STALLED' },
  /** A socket has to take something by then. Default 10 s; 0 waits until CREDIT is 60 s late. */
  writeMs: { default: 10_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_WRITE_STALLED' },
  /** Between two PINGs. Default 30 s; 0 sends none but those of `ping()`. */
  pingIntervalMs: { default: 30_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true },
  /** From a PING to its PONG. Default 60 s; with 0 no peer is too late, and `ping()` waits for as long as the connection lives. */
  pongMs: { default: 60_000, least: 0, greatest: MAX_TIMER_MS, zeroIsOff: true, code: 'ERR_PING_TIMEOUT' },
  /** How long `close()` waits for what is running. Default 10 s; 0 does not wait. */
  drainMs: { default: 10_000, least: 0, greatest: MAX_TIMER_MS },
  /** How long a side that has sent CLOSE goes on reading. Default 2 s. */
  closeMs: { default: 2_000, least: 1, greatest: MAX_TIMER_MS },
  /**
   * The age at which a session is replaced. A client dials the next connection then, up to 10 % earlier by chance, and moves
   * when that has answered; a server asks the client to move. Default 1 h (server: 1 h 15 min).
   */
  sessionSoftAgeMs: {
    // Clients come first, each at a moment of its own (docs/protocol.md §5.11).
    default: (_of, side) => (side === 'client' ? HOUR_MS : 1.25 * HOUR_MS),
    least: 1,
    greatest: MAX_TIMER_MS,
    atMost: 'sessionHardAgeMs',
  },
  /** The age at which a session is destroyed, with all that is still open on it. Default 24 h. */
  sessionHardAgeMs: { default: 24 * HOUR_MS, least: 1, greatest: MAX_TIMER_MS, code: 'ERR_SESSION_EXPIRED' },
  /**
   * How long a call of a client waits while there is no connection, unless it is unsubscribed. Default 0: it fails with the
   * first dial.
   */
  waitForConnectionMs: { default: 0, least: 0, greatest: MAX_TIMER_MS },
} as const satisfies LimitTable;

/** The pauses of a client between its dials. */
export const REDIAL = {
  /** The pause before a client dials again automatically; it doubles with every failure, and varies by chance. Default 100 ms. */
  minMs: { default: 100, least: 1, greatest: MAX_TIMER_MS, atMost: 'maxMs' },
  /** The longest of those pauses. Default 30 s. */
  maxMs: { default: 30_000, least: 1, greatest: MAX_TIMER_MS },
} as const satisfies LimitTable;

/** Of one traffic key: after a soft limit its sender replaces it, after a hard one its receiver ends the connection. */
export const KEY_LIMITS = {
  /** Bytes under one key until it is replaced. Default 1 GiB. */
  softBytes: { default: GIB, least: 1, greatest: Number.MAX_SAFE_INTEGER, atMost: 'hardBytes' },
  /** Bytes under one key until it is refused. Default 4 GiB. */
  hardBytes: { default: 4 * GIB, least: 1, greatest: Number.MAX_SAFE_INTEGER, code: 'ERR_KEY_EXHAUSTED' },
  /** Records under one key until it is replaced. Default 2^20. */
  softRecords: { default: 2 ** 20, least: 1, greatest: MAX_RECORDS, atMost: 'hardRecords' },
  /** Records under one key until it is refused. Default 2^22. */
  hardRecords: { default: 2 ** 22, least: 1, greatest: MAX_RECORDS, code: 'ERR_KEY_EXHAUSTED' },
  /**
   * The age at which a key is replaced. Default 1 h. With less than 35 minutes the connection is replaced as well after
   * eight such keys: a peer takes few more.
   */
  softAgeMs: { default: HOUR_MS, least: 1, greatest: Number.MAX_SAFE_INTEGER, atMost: 'hardAgeMs' },
  /** The age at which a key is refused. Default 2 h. */
  hardAgeMs: { default: 2 * HOUR_MS, least: 1, greatest: Number.MAX_SAFE_INTEGER, code: 'ERR_KEY_EXHAUSTED' },
} as const satisfies { readonly [Name in keyof KeyLimits]: Limit };
