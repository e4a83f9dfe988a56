import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { ChannelClientOptions, ChannelOptions } from '@sealwire/channel';
import {
  CHANNEL_OPTION_NAMES,
  checkNames,
  checkOption,
  checkOptions,
  FLAG,
  having,
  OBJECT,
  show,
  TRANSPORT_ID,
} from '@sealwire/channel/internal';
import type { Given, Rule, Side } from '@sealwire/channel/internal';

import { HANDLER_LIMITS, resolveSealwireLimits } from './limits.js';
import type { SealwireLimits } from './limits.js';

type HandlerLimitOptions = Given<typeof HANDLER_LIMITS>;

/** Options of both ends. */
export type SealwireOptions = ChannelOptions & HandlerLimitOptions;

export interface SealwireServerOptions extends ChannelOptions, HandlerLimitOptions {
  /** The id that handlers may name in their decorator. Default {@link SEALWIRE}. */
  readonly transportId?: Transport | symbol;
  /** Keep the record in which a message came for `SealwireContext#getSealedRecord`. Default false. */
  readonly keepSealedRecord?: boolean;
  /** Applied to every answer, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every request and event, as Nest does. */
  readonly deserializer?: Deserializer;
}

export interface SealwireClientOptions extends ChannelClientOptions, HandlerLimitOptions {
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
export const OPTION_NAMES: readonly string[] = [
  ...CHANNEL_OPTION_NAMES,
  ...Object.keys(RULES),
  ...Object.keys(HANDLER_LIMITS),
  'requestTimeoutMs',
];

/**
 * Checks the names of all options, those of Nest's two ends that are not numbers, and the limits.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function resolveOptions(options: SealwireClientOptions | SealwireServerOptions, side: Side): SealwireLimits {
  checkOption('The options', options, OBJECT);
  checkNames(options, OPTION_NAMES);
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
