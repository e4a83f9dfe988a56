// The options that a client and a server of the channel share: address, keys and limits.
import type { KeyFilePolicy, KeySource } from '@sealwire/crypto';

import { TransportError } from '../errors.js';
import type { Endpoint } from './endpoint.js';
import { checkLimit } from './limit-check.js';
import type { Side } from './limit-check.js';
import { LIMIT_PATHS, resolveLimits } from './limits.js';
import type { LimitGroups, Limits } from './limits.js';
import { checkOption, checkOptions, checkPaths, FLAG, hasMethod, NAME, OBJECT, oneOf } from './option-check.js';
import type { Rule } from './option-check.js';

/** The options that a client and a server have in common. Limits and their defaults are in docs/protocol.md §7. */
export interface ChannelOptions extends Omit<LimitGroups, 'redial'> {
  /** The host to listen on or to connect to. Default: 127.0.0.1. */
  readonly host?: string;
  /** The port to listen on or to connect to. Default: 8080. With 0, a server chooses a free port. */
  readonly port?: number;
  /** The path of a Unix domain socket, instead of `host` and `port`. */
  readonly path?: string;
  /** The path of a key file. Exactly one of `keyFile` and `keyring` must be given. */
  readonly keyFile?: string;
  /** The owners and modes that the key file may have; see {@link KeyFilePolicy}. Default: `strict`. */
  readonly keyPolicy?: KeyFilePolicy;
  /** A `Keyring`, or another source of keys, which is called at every handshake. */
  readonly keyring?: KeySource;
  /** Whether to refuse clients and servers of the same process. Default: false. */
  readonly rejectSelf?: boolean;
  /** The name of the service, which both ends must share. Default: `default`. */
  readonly service?: string;
  /**
   * Whether the sockets of this client or server read into one buffer that all sockets of the process use, to save an
   * allocation for each read. If true, 'data' listeners that the application adds to a socket are not called.
   * Default: true.
   */
  readonly shareReadBuffer?: boolean;
}

export interface ChannelClientOptions extends ChannelOptions, Pick<LimitGroups, 'redial'> {
  /** 1 to 64 servers, instead of `host`, `port` and `path`. Requests are balanced over them. */
  readonly servers?: readonly ServerOption[];
  /** The number of connections to each server, 1 to 16. Default: 1. */
  readonly connectionsPerServer?: number;
  /**
   * Whether running the handler of a request twice is safe. If true, a request is sent again if its connection fails
   * before the caller has received a value of the answer. Default: false.
   */
  readonly idempotent?: boolean;
  /** The delivery of events. Default: `acknowledged`. */
  readonly delivery?: Delivery;
}

/**
 * The delivery of an event: the moment at which it is complete, and the effect of the loss of its server.
 *
 * - `acknowledged`: the event is complete when a server has acknowledged it. If the server to which it was sent is gone
 *   before that, the event fails with `sent: true`, because a handler may have run.
 * - `at-least-once`: as `acknowledged`, but if that server is gone, the client sends the event to another server, so the
 *   handlers may run twice.
 * - `sent`: it is complete when the client has sealed all of it, as with Nest's TCP transport. A later failure is
 *   reported as a lost event.
 */
export type Delivery = 'acknowledged' | 'at-least-once' | 'sent';

/** One server in the option `servers`. A name may have several addresses, each of which is a server. */
export type ServerOption =
  /** The default of `port` is 8080. */
  | { readonly host: string; readonly port?: number }
  /** A Unix domain socket. */
  | { readonly path: string };

const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 8080;
const DEFAULT_SERVICE = 'default';
const MAX_SERVICE_BYTES = 0xffff;

export const KEYRING: Rule = {
  mustBe: 'a Keyring or another KeySource',
  accepts: (value) => hasMethod(value, 'find') && 'primary' in value, // its getter may have no key yet
};

/** The rules of the options that are not numbers. */
export const PATH: Rule = {
  mustBe: 'a file path without NUL',
  accepts: (value) => NAME.accepts(value) && !String(value).includes('\0'), // an abstract socket is open to everybody
};

export const DELIVERY: Rule = oneOf('acknowledged', 'at-least-once', 'sent');

const CHANNEL_RULES: Readonly<Record<string, Rule>> = {
  host: NAME,
  path: PATH,
  keyFile: NAME,
  keyPolicy: oneOf('strict', 'mounted-secret'),
  keyring: KEYRING,
  service: NAME,
  rejectSelf: FLAG,
  idempotent: FLAG,
  delivery: DELIVERY,
  shareReadBuffer: FLAG,
  limits: OBJECT,
  timeouts: OBJECT,
  servers: { mustBe: 'an array', accepts: (value) => Array.isArray(value) },
  redial: { mustBe: 'true, false or an object', accepts: (value) => FLAG.accepts(value) || OBJECT.accepts(value) },
};

/** The paths of the options of both ends. Both accept all options; a server ignores the client-only ones. */
export const CHANNEL_PATHS: readonly string[] = [
  ...Object.keys(CHANNEL_RULES),
  'port',
  'connectionsPerServer',
  ...LIMIT_PATHS,
];

/**
 * Checks the names of all options, and all options that are not numbers.
 *
 * @param paths - The names of options, preceded by their group if they have one: `limits.maxInFlight`.
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function checkChannelOptions(options: ChannelClientOptions, paths: readonly string[]): void {
  checkOption('The options argument', options, OBJECT);
  checkPaths(options, paths);
  checkOptions(options, CHANNEL_RULES);
  const { limits: { key } = {}, redial } = options;
  checkOptions({ 'limits.key': key }, { 'limits.key': OBJECT });
  if (typeof redial === 'object')
    checkOptions({ 'redial.inBackground': redial.inBackground }, { 'redial.inBackground': FLAG });
}

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveChannelOptions(options: ChannelClientOptions, side: Side): Limits {
  checkChannelOptions(options, CHANNEL_PATHS);
  return resolveLimits(options, side);
}

/**
 * Returns the address to listen on or to connect to.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function resolveEndpoint(options: ChannelOptions): Endpoint {
  const { host, port, path } = options;
  if (path === undefined)
    return {
      host: host ?? DEFAULT_HOST,
      port: checkLimit('port', port === undefined ? DEFAULT_PORT : port, 0, 65_535),
    };
  if (host === undefined && port === undefined) return { path };
  throw new TransportError(
    'ERR_BAD_OPTION',
    'path cannot be combined with host or port; give either path, or host and port',
  );
}

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveService({ service = DEFAULT_SERVICE }: ChannelOptions): string {
  const bytes = Buffer.byteLength(service);
  if (bytes > 0 && bytes <= MAX_SERVICE_BYTES) return service;
  throw new TransportError('ERR_BAD_OPTION', `service has ${bytes} bytes; it must have 1 to ${MAX_SERVICE_BYTES}`);
}
