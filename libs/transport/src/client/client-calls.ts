import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { Delivery } from '@sealwire/channel';
import { CallQueue, within } from '@sealwire/channel/internal';
import type { Links } from '@sealwire/channel/internal';

import type { CallTrace } from '../diagnostics.js';
import type { SealwireLimits } from '../handler-limits.js';
import { checkTimeoutMs } from '../options.js';
import type { SealwireClientOptions } from '../options.js';
import type { Pattern } from '../packet/packet.js';
import { SerialQueue } from '../packet/serial-queue.js';
import { WaitingBytes } from '../packet/waiting-messages.js';
import type { CallHost, ClientCallOptions } from './client-call.js';
import { EventCall } from './event-call.js';
import { unwrapRecord } from './record-builder.js';
import { RequestCall } from './request-call.js';

/** The state of a call that exists before its packet is published. */
export interface BegunCall {
  /** The part of the timeout that is left after the wait for a connection; undefined if the call did not wait. */
  readonly leftMs?: number | undefined;
  readonly trace: CallTrace | undefined;
}

type OnEventLost = (error: unknown, pattern: Pattern) => void;

/** Creates the calls of one client. */
export class ClientCalls {
  readonly #host: CallHost;
  readonly #requestTimeoutMs: number;
  readonly #idempotent: boolean;
  readonly #delivery: Delivery;
  readonly #onEventLost: OnEventLost;
  /** Keyed by packet, because a subclass of the client may override `publish`. */
  readonly #begun = new WeakMap<ReadPacket, BegunCall>();

  /**
   * @param toRoute - Nest's normalization.
   * @param onEventLost - Called for an event whose `emit()` has completed already.
   * @throws {TransportError} `ERR_BAD_OPTION`
   */
  constructor(
    options: SealwireClientOptions,
    limits: SealwireLimits,
    links: Links,
    toRoute: CallHost['toRoute'],
    onEventLost: OnEventLost,
  ) {
    const { serializer, deserializer, requestTimeoutMs = 0 } = options;
    const { idempotent = false, delivery = 'acknowledged' } = options;
    this.#idempotent = idempotent;
    this.#delivery = delivery;
    this.#onEventLost = onEventLost;
    const { maxQueuedMessages, maxIncompleteBytes, maxJsonNodes } = limits;
    const order = new SerialQueue(maxQueuedMessages);
    this.#requestTimeoutMs = checkTimeoutMs('requestTimeoutMs', requestTimeoutMs);
    const waiting = new WaitingBytes(maxIncompleteBytes);
    const queue = new CallQueue(links, limits);
    this.#host = { queue, toRoute, serializer, deserializer, maxJsonNodes, waiting, order };
  }

  /** The number of calls that wait to be serialized. */
  get waitingCount(): number {
    return this.#host.order.waitingCount;
  }

  /** The number of attempts of calls after their first one. */
  get retries(): number {
    return this.#host.queue.retries;
  }

  /** Resolves when all waiting calls are serialized and all events have a connection; undefined if none is waiting. */
  get whenStarted(): Promise<void> | undefined {
    const { order, queue } = this.#host;
    if (order.whenIdle === undefined) return queue.whenEventsStarted;
    return order.whenIdle.then(() => queue.whenEventsStarted);
  }

  /** Fails the requests that wait for a connection again, and lets no call be tried again, because the client closes. */
  close(): void {
    this.#host.queue.close();
  }

  /**
   * Waits until the calls are serialized and a connection has the events: its own drain then covers them. Fails the
   * calls that are still being serialized after `timeoutMs`, because the client closes.
   *
   * @param whenEventsStarted - Resolves when no event waits for its first connection.
   */
  async handOver(timeoutMs: number, whenEventsStarted: Promise<void> | undefined): Promise<void> {
    await within(
      timeoutMs,
      Promise.resolve(whenEventsStarted).then(() => this.whenStarted),
    );
    const message = 'The client was closed before its serializer had returned';
    this.#host.order.abandon(new TransportError('ERR_CLIENT_CLOSED', message, { sent: false }));
  }

  /** @throws {TransportError} As {@link unwrapRecord}. */
  timeoutMsOf(packet: ReadPacket): number {
    return unwrapRecord(packet).timeoutMs ?? this.#requestTimeoutMs;
  }

  /** Registers a packet that is about to be published, perhaps through the override of a subclass. */
  begin(packet: ReadPacket, begun: BegunCall): void {
    this.#begun.set(packet, begun);
  }

  /** @returns A function that cancels the request. */
  request(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { packet: unwrapped, timeoutMs, idempotent = this.#idempotent } = unwrapRecord(packet);
    return new RequestCall(this.#options(packet, timeoutMs, idempotent), callback).run(unwrapped);
  }

  event<T>(packet: ReadPacket): Promise<T> {
    const { packet: unwrapped, timeoutMs, delivery = this.#delivery } = unwrapRecord(packet);
    const onLost = delivery === 'sent' ? (error: unknown) => this.#onEventLost(error, packet.pattern) : undefined;
    const options = this.#options(packet, timeoutMs, delivery === 'at-least-once', onLost);
    return EventCall.run<T>(options, unwrapped);
  }

  #options(
    packet: ReadPacket,
    timeoutMs: number | undefined,
    mayRepeat: boolean,
    onLost?: ClientCallOptions['onLost'],
  ): ClientCallOptions {
    const begun = this.#begun.get(packet);
    const wholeMs = timeoutMs ?? this.#requestTimeoutMs;
    const leftMs = begun?.leftMs ?? wholeMs;
    return { host: this.#host, timeoutMs: wholeMs, leftMs, trace: begun?.trace, mayRepeat, onLost };
  }
}
