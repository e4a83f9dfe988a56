import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { ChannelClientOptions, ChannelOptions } from '@sealwire/channel';
import {
  CHANNEL_PATHS,
  checkChannelOptions,
  checkOptions,
  FLAG,
  having,
  pathsOf,
  show,
  TRANSPORT_ID,
} from '@sealwire/channel/internal';
import type { Rule, Side } from '@sealwire/channel/internal';

import { HANDLER_LIMITS, resolveSealwireLimits } from './limits.js';
import type { SealwireLimitOptions, SealwireLimits } from './limits.js';

/** Options of both ends. */
export interface SealwireOptions extends ChannelOptions {
  /** Numbers of bytes, messages, connections and handlers. */
  readonly limits?: SealwireLimitOptions;
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

export interface SealwireClientOptions extends SealwireOptions, Pick<ChannelClientOptions, 'redial'> {
  /**
   * After that a request fails, at both ends; the wait for a connection counts. That of an event counts from when there is a
   * connection. Default 0: only the loss of the connection ends it.
   */
  readonly requestTimeoutMs?: number;
  /** Applied to every request and event, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every answer, as Nest does. */
  readonly deserializer?: Deserializer;
}

/** Of the options of Nest's two ends that are not numbers. */
const RULES: Readonly<Record<string, Rule>> = {
  keepSealedRecord: FLAG,
  transportId: TRANSPORT_ID,
  serializer: having('serialize', 'an object with the method serialize'),
  deserializer: having('deserialize', 'an object with the method deserialize'),
};

/** Of both ends, which may be given the same options: each of them ignores those of the other. */
export const OPTION_PATHS: readonly string[] = [
  ...CHANNEL_PATHS,
  ...Object.keys(RULES),
  ...pathsOf('limits', HANDLER_LIMITS),
  'requestTimeoutMs',
];

/**
 * Checks all options, and returns the limits among them.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function resolveOptions(options: SealwireClientOptions | SealwireServerOptions, side: Side): SealwireLimits {
  checkChannelOptions(options, OPTION_PATHS);
  checkOptions(options, RULES);
  return resolveSealwireLimits(options, side);
}

/** What a REQUEST can say and a timer can wait: 0 to 2^31 - 1. */
const MAX_REQUEST_TIMEOUT_MS = 0x7fff_ffff;

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function checkTimeoutMs(name: string, timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= MAX_REQUEST_TIMEOUT_MS) return timeoutMs;
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${show(timeoutMs)}; it must be 0 or a number of milliseconds`);
}
