import { loadKeyring } from '@sealwire/crypto';
import type { KeyFilePolicy, Keyring } from '@sealwire/crypto';
import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';

import type { Endpoint } from '../connection/endpoint.js';
import { TransportError } from '../errors.js';
import type { LimitOptions } from '../limits.js';

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
  /** Keys that are loaded already. */
  readonly keyring?: Keyring;
  /** Both ends must use the same name. Default `default`. */
  readonly service?: string;
}

export interface SealwireServerOptions extends SealwireOptions {
  /** The id that handlers may name in their decorator. Default {@link SEALWIRE}. */
  readonly transportId?: Transport | symbol;
  /** Refuse a client of this very process. Default false. */
  readonly rejectSelf?: boolean;
  /** Keep the record in which a message came for `SealwireContext#getSealedRecord`. Default false. */
  readonly keepSealedRecord?: boolean;
  /** Applied to every answer, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every request and event, as Nest does. */
  readonly deserializer?: Deserializer;
}

export interface SealwireClientOptions extends SealwireOptions {
  /** After that a request fails, at both ends. Default 0: only the loss of the connection ends it. */
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

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveEndpoint({ host, port, path }: SealwireOptions): Endpoint {
  if (path === undefined) {
    const number = port ?? DEFAULT_PORT;
    if (Number.isInteger(number) && number >= 0 && number <= 65_535)
      return { host: host ?? DEFAULT_HOST, port: number };
    throw new TransportError('ERR_BAD_OPTION', `port is ${number}; it must be an integer from 0 to 65535`);
  }
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
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${timeoutMs}; it must be 0 or a number of milliseconds`);
}

/**
 * A way to the keyring that reads the key file once, when it is first needed, and again after a failure.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`; the result rejects with the `CryptoError` of the key file.
 */
export function keyringSource({ keyring, keyFile, keyPolicy = 'strict' }: SealwireOptions): () => Promise<Keyring> {
  if ((keyring === undefined) === (keyFile === undefined)) {
    throw new TransportError('ERR_BAD_OPTION', 'Exactly one of keyFile and keyring must be given');
  }
  let loading: Promise<Keyring> | undefined = keyring && Promise.resolve(keyring);
  return () => {
    loading ??= loadKeyring(keyFile ?? '', { policy: keyPolicy }).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
