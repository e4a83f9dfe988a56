import type { Deserializer, ReadPacket, Serializer } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { AnswerSink, ClientLink, ClientStream, OutgoingMessage } from '@sealwire/channel';
import { Deadline } from '@sealwire/channel/internal';
import type { Links } from '@sealwire/channel/internal';

import type { CallTrace } from '../diagnostics.js';
import type { Call } from '../packet/message.js';
import { checkSerialized } from '../packet/packet.js';
import type { SerialQueue } from '../packet/serial-queue.js';
import type { WaitingBytes } from '../packet/waiting-messages.js';
import type { OutgoingPacket } from './record-builder.js';

/** Shared by all calls of one client. */
export interface CallHost {
  readonly links: Links;
  readonly toRoute: (pattern: ReadPacket['pattern']) => string;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
  readonly maxJsonNodes: number;
  /** The bytes of answers that wait for the deserializer. */
  readonly waiting: WaitingBytes;
  /** Keeps calls in order while their packets are serialized. */
  readonly order: SerialQueue;
}

export interface ClientCallOptions {
  readonly host: CallHost;
  /** The timeout of the whole call; 0: none. */
  readonly timeoutMs: number;
  /** The part of the timeout that is left after the wait for a connection. */
  readonly leftMs: number;
  /**
   * The connection when the call was made; undefined if it was lost between `connect()` and the call. By the time the
   * packet is serialized, another connection may have replaced it.
   */
  readonly link: ClientLink | undefined;
  readonly trace: CallTrace | undefined;
}

/** The encoding of one kind of call. */
export interface CallCodec {
  readonly kind: 'REQUEST' | 'EVENT';
  /** @param timeoutMs - 0: none. */
  readonly encode: (call: Call, timeoutMs: number) => OutgoingMessage;
}

/** One `send()` or `emit()` in progress. A subclass is the sink of its answer. */
export abstract class ClientCall implements AnswerSink {
  protected readonly options: ClientCallOptions;
  #link: ClientLink | undefined;
  #stream: ClientStream | undefined;
  #isOver = false;
  #deadline: Deadline | undefined;

  constructor(options: ClientCallOptions) {
    this.options = options;
  }

  abstract next(data: Buffer, last: boolean): void;
  abstract error(data: Buffer): void;
  abstract complete(): void;
  abstract fail(error: unknown): void;

  /**
   * Sends the packet through the user's serializer, which may set another pattern. Does not keep the packet. Every failure
   * goes to {@link fail}.
   */
  protected send(packet: OutgoingPacket, codec: CallCodec): void {
    const { host, timeoutMs, leftMs } = this.options;
    const { serializer, order } = host;
    if (leftMs > 0) {
      this.#deadline = new Deadline(leftMs, () => {
        const sent = this.#stream?.at === 'SEALED';
        this.cancelStream();
        this.fail(requestTimedOut(timeoutMs, sent));
      });
    }
    if (serializer === undefined) {
      this.#open(codec, packet.pattern, packet);
      return;
    }
    order.run<OutgoingPacket>(
      () => serializer.serialize(packet),
      (serialized) => this.#open(codec, packet.pattern, checkSerialized(serialized)),
      (error) => this.fail(error),
    );
  }

  #open(codec: CallCodec, given: OutgoingPacket['pattern'], { pattern = given, data, metadata }: OutgoingPacket): void {
    if (this.isOver) return;
    const { host, leftMs } = this.options;
    try {
      const message = codec.encode({ pattern: host.toRoute(pattern), data, metadata }, leftMs);
      this.options.trace?.addRequest(message.bytes);
      const link = host.links.pick(codec.kind) ?? this.options.link;
      if (link === undefined)
        throw new TransportError('ERR_CONNECTION_LOST', 'The connection was lost before the call', { sent: false });
      this.#link = link;
      this.#stream = link.open(codec.kind, message, this);
    } catch (error) {
      this.fail(error);
    }
  }

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** Returns false if the call had ended before: a later result is ignored. */
  protected end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#deadline?.clear();
    return true;
  }

  /** Cancels the stream: the server stops its work, and late frames are ignored. */
  protected cancelStream(): void {
    if (this.#stream === undefined || this.#link === undefined) return;
    this.#link.streams.cancel(this.#stream);
  }
}

export function requestTimedOut(timeoutMs: number, sent: boolean): TransportError {
  return new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent });
}
