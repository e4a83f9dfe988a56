import { loadKeyring } from '@sealwire/crypto';
import type { KeyFilePolicy, KeySource } from '@sealwire/crypto';
import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';

import type { Endpoint } from '../connection/endpoint.js';
import { TransportError } from '../errors.js';
import { checkLimit, LIMIT_NAMES } from '../limits.js';
import type { LimitOptions } from '../limits.js';
import { checkNames, checkOptions, FLAG, hasMethod, having, NAME, oneOf, show, TRANSPORT_ID } from '../option-check.js';
import type { Rule } from '../option-check.js';

/** What both ends are told. Limits and their defaults stand in docs/protocol.md §7. */
export interface SealwireOptions extends LimitOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8080. A server takes 0 for any free port. */
  readonly port?: number;
  /** A Unix domain socket, instead of `host` and `port`. */
  readonly path?: string;
  /** The path of a key file; it or `keyring` must be given. */
  readonly keyFile?: string;
  /** What may be wrong with the modes of the key file; see {@link KeyFilePolicy}. Default `strict`. */
  readonly keyPolicy?: KeyFilePolicy;
  /** A `Keyring`, or another source of keys, which is asked at every handshake. */
  readonly keyring?: KeySource;
  /** Refuse the other end if it is a client or a server of this very process. Default false. */
  readonly rejectSelf?: boolean;
  /** Both ends must use the same name. Default `default`. */
  readonly service?: string;
  /**
   * Read all sockets of the process into one buffer, which saves an allocation for each read. Default true. Listeners of
   * 'data' that an application adds to a socket of its own accord are called only without it.
   */
  readonly shareReadBuffer?: boolean;
}

export interface SealwireServerOptions extends SealwireOptions {
  /** The id that handlers may name in their decorator. Default {@link SEALWIRE}. */
  readonly transportId?: Transport | symbol;
  /** Keep the record in which a message came for `SealwireContext#getSealedRecord`. Default false. */
  readonly keepSealedRecord?: boolean;
  /** Applied to every answer, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every request and event, as Nest does. */
  readonly deserializer?: Deserializer;
}

export interface SealwireClientOptions extends SealwireOptions {
  /**
   * After that a request fails, at both ends; the wait for a connection counts. That of an event counts from when there is a
   * connection. Default 0: only the loss of the connection ends it.
   */
  readonly requestTimeoutMs?: number;
  /** Connect again in the background, after a loss and after a failure, with pauses that grow. Default false. */
  readonly redial?: boolean;
  /** Applied to every request and event, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every answer, as Nest does. */
  readonly deserializer?: Deserializer;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8080;
const DEFAULT_SERVICE = 'default';
const MAX_SERVICE_BYTES = 0xffff;

export const KEYRING: Rule = {
  mustBe: 'a Keyring or another KeySource',
  accepts: (value) => hasMethod(value, 'find') && 'primary' in value, // its getter may have no key yet
};

/** What is no number. */
const RULES: Readonly<Record<string, Rule>> = {
  host: NAME,
  path: {
    mustBe: 'the name of a file, without NUL',
    accepts: (value) => NAME.accepts(value) && !String(value).includes('\0'), // an abstract socket is open to everybody
  },
  keyFile: NAME,
  keyPolicy: oneOf('strict', 'mounted-secret'),
  keyring: KEYRING,
  service: NAME,
  rejectSelf: FLAG,
  keepSealedRecord: FLAG,
  redial: FLAG,
  shareReadBuffer: FLAG,
  transportId: TRANSPORT_ID,
  serializer: having('serialize', 'an object with the method serialize'),
  deserializer: having('deserialize', 'an object with the method deserialize'),
};

/** Of both ends, which may be given the same options: each of them leaves alone what is the other one's. */
const NAMES: readonly string[] = [...Object.keys(RULES), ...LIMIT_NAMES, 'port', 'requestTimeoutMs'];

/**
 * Where to listen or connect. Both ends call it first: it checks the names of all options as well, and the kind of
 * those that are no numbers.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function resolveEndpoint(options: SealwireOptions): Endpoint {
  checkNames(options, NAMES);
  checkOptions(options, RULES);
  const { host, port, path } = options;
  if (path === undefined)
    return {
      host: host ?? DEFAULT_HOST,
      port: checkLimit('port', port === undefined ? DEFAULT_PORT : port, 0, 65_535),
    };
  if (host === undefined && port === undefined) return { path };
  throw new TransportError('ERR_BAD_OPTION', 'path excludes host and port');
}

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveService({ service = DEFAULT_SERVICE }: SealwireOptions): string {
  const bytes = Buffer.byteLength(service);
  if (bytes > 0 && bytes <= MAX_SERVICE_BYTES) return service;
  throw new TransportError('ERR_BAD_OPTION', 'service must be a name of 1 to 65535 bytes');
}

/** What a REQUEST can say and a timer can wait: 0 to 2^31 - 1. */
const MAX_REQUEST_TIMEOUT_MS = 0x7fff_ffff;

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function checkTimeoutMs(name: string, timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= MAX_REQUEST_TIMEOUT_MS) return timeoutMs;
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${show(timeoutMs)}; it must be 0 or a number of milliseconds`);
}

/**
 * What loads the keys: the key file is read once, when it is first needed, and again after a failure.
 *
 * @param warn - Called with what is wrong with the key file, though it may be used.
 * @throws {TransportError} `ERR_BAD_OPTION`; the result rejects with the `CryptoError` of the key file.
 */
export function keyLoader(
  { keyring, keyFile, keyPolicy = 'strict' }: SealwireOptions,
  warn: (message: string) => void,
): () => Promise<KeySource> {
  if ((keyring === undefined) === (keyFile === undefined)) {
    throw new TransportError('ERR_BAD_OPTION', 'Exactly one of keyFile and keyring must be given');
  }
  let loading: Promise<KeySource> | undefined = keyring && Promise.resolve(keyring);
  return () => {
    loading ??= loadKeyring(keyFile ?? '', { policy: keyPolicy, warn }).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
