import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';
import type { ChannelClientOptions, ChannelOptions } from '@sealwire/channel';
import {
  CHANNEL_PATHS,
  checkChannelOptions,
  checkLimit,
  checkOptions,
  FLAG,
  having,
  MAX_TIMER_MS,
  pathsOf,
  TRANSPORT_ID,
} from '@sealwire/channel/internal';
import type { Rule, Side } from '@sealwire/channel/internal';

import { HANDLER_LIMITS, resolveSealwireLimits } from './handler-limits.js';
import type { SealwireLimitOptions, SealwireLimits } from './handler-limits.js';

/** Options of both ends. */
export interface SealwireOptions extends ChannelOptions {
  /** The limits of bytes, messages, connections and handlers. */
  readonly limits?: SealwireLimitOptions;
}

export interface SealwireServerOptions extends SealwireOptions {
  /** The id that handlers may name in their decorator. Default: {@link SEALWIRE}. */
  readonly transportId?: Transport | symbol;
  /** Whether to keep the record of a message for `SealwireContext#getSealedRecord`. Default: false. */
  readonly keepSealedRecord?: boolean;
  /** The serializer of every answer, as in Nest. */
  readonly serializer?: Serializer;
  /** The deserializer of every request and event, as in Nest. */
  readonly deserializer?: Deserializer;
}

export interface SealwireClientOptions
  extends
    SealwireOptions,
    Pick<ChannelClientOptions, 'redial' | 'servers' | 'connectionsPerServer' | 'idempotent' | 'delivery'> {
  /**
   * The timeout of a request, enforced at both ends, or of an event until its acknowledgement, including the wait for a
   * connection. Default: 0. With 0, an unanswered request waits until the connection is lost, and `delivery` determines
   * when an unacknowledged event fails.
   */
  readonly requestTimeoutMs?: number;
  /** The serializer of every request and event, as in Nest. */
  readonly serializer?: Serializer;
  /** The deserializer of every answer, as in Nest. */
  readonly deserializer?: Deserializer;
}

/** The rules of the options that are not numbers. */
const RULES: Readonly<Record<string, Rule>> = {
  keepSealedRecord: FLAG,
  transportId: TRANSPORT_ID,
  serializer: having('serialize', 'an object with the method serialize'),
  deserializer: having('deserialize', 'an object with the method deserialize'),
};

/**
 * The paths of the options of both ends. Both accept all options; each ignores those that are only for the other end.
 */
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

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function checkTimeoutMs(name: string, timeoutMs: number): number {
  return checkLimit(name, timeoutMs, 0, MAX_TIMER_MS);
}
