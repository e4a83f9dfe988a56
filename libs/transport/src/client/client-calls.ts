import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { Links } from '@sealwire/channel/internal';

import type { CallTrace } from '../diagnostics.js';
import type { SealwireLimits } from '../limits.js';
import { checkTimeoutMs } from '../options.js';
import type { SealwireClientOptions } from '../options.js';
import { InOrder } from '../packet/in-order.js';
import { WaitingBytes } from '../packet/waiting-messages.js';
import type { CallHost, ClientCallOptions } from './client-call.js';
import { EventCall } from './event-call.js';
import { unwrapRecord } from './record-builder.js';
import { RequestCall } from './request-call.js';

/** The part of a call that begins before its packet is published. */
export interface BegunCall {
  /** The rest of its timeout after the wait for a connection; undefined: all of it, or it has none. */
  readonly leftMs?: number | undefined;
  readonly trace: CallTrace | undefined;
}

/** Makes the calls of one client. */
export class ClientCalls {
  readonly #host: CallHost;
  readonly #requestTimeoutMs: number;
  /** By their packets, as a subclass of the client may override `publish`. */
  readonly #begun = new WeakMap<ReadPacket, BegunCall>();

  /**
   * @param toRoute - Nest's normalisation.
   * @throws {TransportError} `ERR_BAD_OPTION`
   */
  constructor(options: SealwireClientOptions, limits: SealwireLimits, links: Links, toRoute: CallHost['toRoute']) {
    const { serializer, deserializer, requestTimeoutMs = 0 } = options;
    const { maxQueuedMessages, maxIncompleteBytes, maxJsonNodes } = limits;
    const order = new InOrder(maxQueuedMessages);
    this.#requestTimeoutMs = checkTimeoutMs('requestTimeoutMs', requestTimeoutMs);
    const waiting = new WaitingBytes(maxIncompleteBytes);
    this.#host = { links, toRoute, serializer, deserializer, maxJsonNodes, waiting, order };
  }

  /** Calls that wait to be serialized. */
  get waitingCount(): number {
    return this.#host.order.waitingCount;
  }

  /** Resolves when all of them are serialized; undefined if none is waiting. */
  get whenIdle(): Promise<void> | undefined {
    return this.#host.order.whenIdle;
  }

  /** The client was closed: calls that are still being serialized fail. */
  abandon(): void {
    const message = 'The client was closed before its serializer was done';
    this.#host.order.abandon(new TransportError('ERR_CLIENT_CLOSED', message, { sent: false }));
  }

  /** @throws {TransportError} As {@link unwrapRecord}. */
  timeoutMsOf(packet: ReadPacket): number {
    return unwrapRecord(packet).timeoutMs ?? this.#requestTimeoutMs;
  }

  /** The packet is about to be published, perhaps by a subclass of the client first. */
  begin(packet: ReadPacket, begun: BegunCall): void {
    this.#begun.set(packet, begun);
  }

  /** @returns A function that cancels it. */
  request(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { packet: unwrapped, timeoutMs = this.#requestTimeoutMs } = unwrapRecord(packet);
    return new RequestCall(this.#options(packet, timeoutMs), callback).run(unwrapped);
  }

  event<T>(packet: ReadPacket): Promise<T> {
    const { packet: unwrapped, timeoutMs = this.#requestTimeoutMs } = unwrapRecord(packet);
    return EventCall.run<T>(this.#options(packet, timeoutMs), unwrapped);
  }

  #options(packet: ReadPacket, timeoutMs: number): ClientCallOptions {
    const begun = this.#begun.get(packet);
    const link = this.#host.links.pick();
    return { host: this.#host, timeoutMs, leftMs: begun?.leftMs ?? timeoutMs, link, trace: begun?.trace };
  }
}
