import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { ClientLink, OutgoingMessage } from '@sealwire/channel';
import { Call } from '@sealwire/channel/internal';
import type { CallQueue } from '@sealwire/channel/internal';

import type { CallTrace } from '../diagnostics.js';
import type { Call as CallMessage } from '../packet/message.js';
import { checkSerialized } from '../packet/packet.js';
import type { Pattern } from '../packet/packet.js';
import type { SerialQueue } from '../packet/serial-queue.js';
import type { WaitingBytes } from '../packet/waiting-messages.js';
import type { OutgoingPacket } from './record-builder.js';

/** Shared by all calls of one client. */
export interface CallHost {
  readonly queue: CallQueue;
  readonly toRoute: (pattern: Pattern) => string;
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
  readonly trace: CallTrace | undefined;
  /** Whether running the handler twice is safe. */
  readonly mayRepeat: boolean;
  /** Called if an event is lost that was complete when it was sealed; undefined for any other call. */
  readonly onLost: ((error: unknown) => void) | undefined;
}

/** The encoding of one kind of call. */
export interface CallCodec {
  readonly kind: Call['kind'];
  /** @param timeoutMs - 0: none. */
  readonly encode: (message: CallMessage, timeoutMs: number) => OutgoingMessage;
}

/** One `send()` or `emit()` in progress. */
export abstract class ClientCall extends Call {
  protected readonly options: ClientCallOptions;
  readonly #encode: CallCodec['encode'];

  constructor({ kind, encode }: CallCodec, options: ClientCallOptions) {
    super(kind, options.host.queue, options.mayRepeat);
    this.options = options;
    this.#encode = encode;
  }

  /**
   * Sends the packet through the user's serializer, which may set another pattern. Does not keep the packet. Every failure
   * goes to {@link giveUp}.
   */
  protected send(packet: OutgoingPacket): void {
    const { host, timeoutMs, leftMs } = this.options;
    const { serializer, order } = host;
    this.limitTime(timeoutMs, leftMs);
    if (serializer === undefined) {
      this.#start(packet.pattern, packet);
      return;
    }
    order.run<OutgoingPacket>(
      () => serializer.serialize(packet),
      (serialized) => this.#start(packet.pattern, checkSerialized(serialized)),
      (error) => this.giveUp(error),
    );
  }

  protected override noteRetry(): void {
    this.options.trace?.addAttempt();
  }

  protected override noteLink({ server }: ClientLink): void {
    this.options.trace?.setServer(server);
  }

  #start(given: OutgoingPacket['pattern'], { pattern = given, data, metadata }: OutgoingPacket): void {
    if (this.isOver) return;
    const { host, leftMs, trace } = this.options;
    let message: OutgoingMessage;
    try {
      const sent = trace === undefined ? metadata : trace.withAttached(metadata);
      message = this.#encode({ pattern: host.toRoute(pattern), data, metadata: sent }, leftMs);
    } catch (error) {
      this.giveUp(error);
      return;
    }
    trace?.addRequest(message.bytes);
    this.start(message);
  }
}
