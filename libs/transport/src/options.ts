import type { Deserializer, Serializer, Transport } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { ChannelOptions } from '@sealwire/channel';
import {
  CHANNEL_RULES,
  checkNames,
  checkOptions,
  FLAG,
  having,
  LIMIT_NAMES,
  show,
  TRANSPORT_ID,
} from '@sealwire/channel/internal';
import type { Rule } from '@sealwire/channel/internal';

/** What both ends have in common. */
export type SealwireOptions = ChannelOptions;

export interface SealwireServerOptions extends ChannelOptions {
  /** The id that handlers may name in their decorator. Default {@link SEALWIRE}. */
  readonly transportId?: Transport | symbol;
  /** Keep the record in which a message came for `SealwireContext#getSealedRecord`. Default false. */
  readonly keepSealedRecord?: boolean;
  /** Applied to every answer, as Nest does. */
  readonly serializer?: Serializer;
  /** Applied to every request and event, as Nest does. */
  readonly deserializer?: Deserializer;
}

export interface SealwireClientOptions extends ChannelOptions {
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

/** Of the options of Nest's two ends that are not numbers. */
const RULES: Readonly<Record<string, Rule>> = {
  keepSealedRecord: FLAG,
  redial: FLAG,
  transportId: TRANSPORT_ID,
  serializer: having('serialize', 'an object with the method serialize'),
  deserializer: having('deserialize', 'an object with the method deserialize'),
};

/** Of both ends, which may be given the same options: each of them ignores those of the other. */
const OPTION_NAMES: readonly string[] = [
  ...Object.keys(CHANNEL_RULES),
  ...Object.keys(RULES),
  ...LIMIT_NAMES,
  'port',
  'requestTimeoutMs',
];

/**
 * Checks the names of all options, and those of Nest's two ends that are not numbers.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function checkSealwireOptions(options: SealwireClientOptions | SealwireServerOptions): void {
  checkNames(options, OPTION_NAMES);
  checkOptions(options, RULES);
}

/** What a REQUEST can say and a timer can wait: 0 to 2^31 - 1. */
const MAX_REQUEST_TIMEOUT_MS = 0x7fff_ffff;

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function checkTimeoutMs(name: string, timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 0 && timeoutMs <= MAX_REQUEST_TIMEOUT_MS) return timeoutMs;
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${show(timeoutMs)}; it must be 0 or a number of milliseconds`);
}
