// The calls on channels of node:diagnostics_channel (docs/brokers.md).
import { AsyncLocalStorage } from 'node:async_hooks';

import { CallChannels, codeOf, isObject, isWireError, ObservedCall } from '@sealwire/channel/internal';
import type { CallReport, Writable } from '@sealwire/channel/internal';

import type { RefusedMessage } from './diagnostics.js';
import { BrokerError, STORE_ERROR } from './errors.js';

/**
 * The message published on `sealwire:broker:call:start`. The same object, updated, is published again on `end` or
 * `failed`.
 */
export interface BrokerCallMessage extends CallReport {
  readonly side: RefusedMessage['side'];
  /** The kind of broker: `nats`, `rabbitmq`, `redis`, `mqtt` or `kafka`. */
  readonly system: string;
  /** The pattern: at a client, the pattern that is sent; at a server, the pattern of the handler, which may have wildcards. */
  readonly pattern: string;
  /** The subject, channel or topic. On RabbitMQ, the queue, or the exchange to which a client sends. */
  readonly destination: string;
  /**
   * The length of the sealed request or event; for a Kafka batch, the length of its first message. At a client, 0 until the
   * message is sealed.
   */
  readonly bytes: number;
  /** Whether the call ended without a result, because the caller has unsubscribed. */
  readonly isCancelled: boolean;
}

const CHANNELS = new CallChannels('sealwire:broker:call');

/** The call that Nest sends now. */
const sending = new AsyncLocalStorage<CallTrace>();

/** An observed call. */
export class CallTrace extends ObservedCall {
  readonly #message: Writable<BrokerCallMessage>;

  private constructor(message: Writable<BrokerCallMessage>, headers: Readonly<Record<string, unknown>> | undefined) {
    super(CHANNELS, message, headers);
    this.#message = message;
  }

  /**
   * Starts a trace; returns undefined if calls have no subscriber.
   *
   * @param headers - At a server: returns those that were sealed.
   */
  static start(start: CallStart, headers?: () => Readonly<Record<string, unknown>>): CallTrace | undefined {
    if (!CHANNELS.hasSubscribers) return undefined;
    const { bytes = 0, destination = start.pattern } = start;
    const end = { durationMs: undefined, isCancelled: false, code: undefined };
    return new CallTrace({ ...start, destination, bytes, ...end }, headers?.());
  }

  /** The call whose message is about to be sealed, if it is observed. */
  static get current(): CallTrace | undefined {
    const trace = sending.getStore();
    // A message that is sealed later in the same async context belongs to something else.
    return trace !== undefined && trace.#message.bytes === 0 ? trace : undefined;
  }

  get destination(): string {
    return this.#message.destination;
  }

  noteSealed(bytes: number): void {
    this.#message.bytes = bytes;
  }

  /** Runs Nest's sending of the call. */
  send<T>(send: () => T): T {
    return sending.run(this, send);
  }

  fail(error: unknown): void {
    this.failWith(codeOfFailure(error));
  }
}

/** `destination` is the pattern unless given. */
export type CallStart = Pick<BrokerCallMessage, 'side' | 'system' | 'kind' | 'pattern'> &
  Partial<Pick<BrokerCallMessage, 'destination' | 'bytes'>>;

function codeOfFailure(error: unknown): string | undefined {
  if (error instanceof BrokerError || isWireError(error)) return error.code;
  return isStoreError(error) ? STORE_ERROR.code : codeOf(error);
}

/** Compares the members, because a client gets a copy of the error. */
function isStoreError(error: unknown): boolean {
  return isObject(error) && error['status'] === STORE_ERROR.status && error['code'] === STORE_ERROR.code;
}
