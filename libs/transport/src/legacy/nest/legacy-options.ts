import type { Transport } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import {
  checkLimit,
  checkOption,
  checkOptions,
  checkPaths,
  FUNCTION,
  KEYRING,
  MAX_TIMER_MS,
  NAME,
  OBJECT,
  TRANSPORT_ID,
} from '@sealwire/channel/internal';
import type { Endpoint, Rule } from '@sealwire/channel/internal';
import { loadLegacyKeyFile } from '@sealwire/crypto';
import type { KeySource } from '@sealwire/crypto';

import { LegacyKey } from '../wire/legacy-key.js';

/** The options of both ends of the legacy wire. */
export interface LegacyOptions {
  /** The host to listen on or connect to. Default: 127.0.0.1. */
  readonly host?: string;
  /** A separate port; 0 lets a server choose a free one. */
  readonly port: number;
  /** The key file of the original program, any 32 bytes. It must not be the key file of the channel. */
  readonly keyFile: string;
  /** The keys of the channel, which are refused here; undefined only if there is no channel. */
  readonly channelKeyring: KeySource | undefined;
  /** The maximum time from the start of a connection to its FIN. Default: 10 s. */
  readonly connectionTimeoutMs?: number;
  /**
   * The maximum number of simultaneous connections. At the limit, a server closes the oldest one, and a client refuses
   * the next message. Default: 64.
   */
  readonly maxConnections?: number;
  /** Called with each warning about the wire and the key file. Default: a warning in Nest's log. */
  readonly warn?: (message: string) => void;
}

export interface LegacyServerOptions extends LegacyOptions {
  /** The pattern whose handler gets every message as `{ text }`. Default: `message`. */
  readonly pattern?: string;
  /** The id that handlers may name in their decorator. Default: {@link LEGACY}. */
  readonly transportId?: Transport | symbol;
  /** The maximum number of running handlers; further messages are dropped. Default: 256. */
  readonly maxRunning?: number;
  /** The maximum time that `close()` waits for running handlers. Default: 10 s. */
  readonly drainTimeoutMs?: number;
}

export interface LegacyLimits {
  readonly connectionTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxRunning: number;
  readonly drainTimeoutMs: number;
}

const DEFAULT_HOST = '127.0.0.1';
const MAX_COUNT = 65_535;

/** The rules of the options that are not numbers. */
const RULES: Readonly<Record<string, Rule>> = {
  host: NAME,
  channelKeyring: KEYRING,
  warn: FUNCTION,
  pattern: NAME,
  transportId: TRANSPORT_ID,
};

const NAMES: readonly string[] = [
  ...Object.keys(RULES),
  'port',
  'keyFile',
  'connectionTimeoutMs',
  'maxConnections',
  'maxRunning',
  'drainTimeoutMs',
];

/**
 * Returns the endpoint. Also checks the names of all options and the options that are not numbers, so both ends call it
 * before {@link resolveLegacyLimits}.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function resolveLegacyEndpoint(options: LegacyOptions): Endpoint {
  checkOption('The options argument', options, OBJECT);
  checkPaths(options, NAMES);
  checkOptions(options, RULES);
  const { host = DEFAULT_HOST, port, keyFile } = options;
  checkOption('keyFile', keyFile, NAME);
  return { host, port: checkLimit('port', port, 0, 65_535) };
}

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveLegacyLimits(options: Partial<LegacyLimits>): LegacyLimits {
  const { connectionTimeoutMs = 10_000, maxConnections = 64, maxRunning = 256, drainTimeoutMs = 10_000 } = options;
  return {
    connectionTimeoutMs: checkLimit('connectionTimeoutMs', connectionTimeoutMs, 1, MAX_TIMER_MS),
    maxConnections: checkLimit('maxConnections', maxConnections, 1, MAX_COUNT),
    maxRunning: checkLimit('maxRunning', maxRunning, 1, MAX_COUNT),
    drainTimeoutMs: checkLimit('drainTimeoutMs', drainTimeoutMs, 0, MAX_TIMER_MS),
  };
}

/**
 * Reads the key. Calls `warn` with each weakness of the key file.
 *
 * @throws {TransportError} `ERR_LEGACY_KEY_SHARED`
 * @throws {CryptoError} `ERR_KEY_FILE_…`
 */
export async function loadLegacyKey(options: LegacyOptions, warn: (message: string) => void): Promise<LegacyKey> {
  const bytes = await loadLegacyKeyFile(options.keyFile, { warn });
  const key = LegacyKey.fromBytes(bytes);
  bytes.fill(0);
  checkNotShared(key, options);
  return key;
}

/**
 * Checks that the channel does not accept the key now. Its keyring may change after the key was loaded.
 *
 * @throws {TransportError} `ERR_LEGACY_KEY_SHARED`
 */
export function checkNotShared({ id }: LegacyKey, { keyFile, channelKeyring }: LegacyOptions): void {
  if (channelKeyring?.find(Buffer.from(id, 'hex')) === undefined) return;
  throw new TransportError(
    'ERR_LEGACY_KEY_SHARED',
    `Key file ${keyFile} contains key ${id} of the channel, which must not be used on the legacy wire: ` +
      'make a new key for the channel',
    { sent: false },
  );
}
