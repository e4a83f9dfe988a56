import type { Deserializer, ReadPacket, Serializer } from '@nestjs/microservices';

import { Deadline } from '../deadline.js';
import { TransportError } from '../errors.js';
import type { AnswerSink, ClientStream } from '../frame/client-stream.js';
import { encodeEvent } from '../frame/message.js';
import type { Call } from '../frame/message.js';
import type { OutgoingMessage } from '../frame/outgoing-message.js';
import { decodeData } from '../frame/payload.js';
import type { ClientLink } from './client-link.js';
import type { InOrder } from './in-order.js';
import type { Links } from './links.js';
import { checkSerialized } from './packet.js';
import type { OutgoingPacket } from './record-builder.js';
import { RemoteError } from './remote-error.js';
import type { WaitingBytes } from './waiting-messages.js';
import { readRefusal } from './wire-error.js';

/** What the calls of one client have in common. */
export interface CallHost {
  readonly links: Links;
  /** Nest's normalisation. */
  readonly toRoute: (pattern: ReadPacket['pattern']) => string;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
  readonly maxJsonNodes: number;
  /** Answers that wait for the deserializer. */
  readonly waiting: WaitingBytes;
  /** Calls must not overtake one another while their packets are serialized. */
  readonly order: InOrder;
}

export interface ClientCallOptions {
  readonly host: CallHost;
  /** From now on; 0: none. */
  readonly timeoutMs: number;
  /** The same, with what the wait for a connection took of it. */
  readonly deadlineMs: number;
  /**
   * The connection when the call was made; undefined if it was lost between `connect()` and the call. Another one may have
   * taken its place by the time the packet is serialized.
   */
  readonly link: ClientLink | undefined;
}

/** One `send()` or `emit()` on its way, and what becomes of it. */
export abstract class ClientCall implements AnswerSink {
  protected readonly options: ClientCallOptions;
  #link: ClientLink | undefined;
  #stream: ClientStream | undefined;
  #isOver = false;
  #deadline: Deadline | undefined;

  constructor(options: ClientCallOptions) {
    this.options = options;
  }

  /** Encodes and opens, with {@link open}. */
  protected abstract start(call: Call): void;
  abstract next(data: Buffer, last: boolean): void;
  abstract error(data: Buffer): void;
  abstract complete(): void;
  abstract fail(error: unknown): void;

  /**
   * Sends the packet, after the user's serializer, which may name another pattern, and does not keep it. Every failure is
   * told to {@link fail}.
   */
  protected send(packet: OutgoingPacket): void {
    const { host, timeoutMs } = this.options;
    const { serializer, order } = host;
    if (timeoutMs > 0) this.#deadline = new Deadline(timeoutMs, () => this.#expire());
    if (serializer === undefined) {
      this.#startOrFail(packet.pattern, packet);
      return;
    }
    order.run<OutgoingPacket>(
      () => serializer.serialize(packet),
      (serialized) => this.#startOrFail(packet.pattern, checkSerialized(serialized)),
      (error) => this.fail(error),
    );
  }

  #startOrFail(given: OutgoingPacket['pattern'], { pattern = given, data, metadata }: OutgoingPacket): void {
    if (this.isOver) return;
    try {
      this.start({ pattern: this.options.host.toRoute(pattern), data, metadata });
    } catch (error) {
      this.fail(error);
    }
  }

  protected open(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage): void {
    const link = this.options.host.links.pick() ?? this.options.link;
    if (link === undefined)
      throw new TransportError('ERR_CONNECTION_LOST', 'The connection was lost before the call', { sent: false });
    this.#link = link;
    this.#stream = link.streams.open(kind, message, this);
    if (link.streams.isNearlyExhausted) link.connection.retire();
  }

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** False when it has ended before: what comes later changes nothing. */
  protected end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#deadline?.clear();
    return true;
  }

  /** Nobody is interested in what the server still does about it. */
  protected cancelStream(): void {
    if (this.#stream === undefined || this.#link === undefined) return;
    this.#link.streams.cancel(this.#stream);
  }

  #expire(): void {
    const sent = this.#stream?.at === 'SEALED';
    this.cancelStream();
    this.fail(requestTimedOut(this.options.deadlineMs, sent));
  }
}

export function requestTimedOut(timeoutMs: number, sent: boolean): TransportError {
  return new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent });
}

const NOT_A_REFUSAL = 'The server answered the event with an error that is no refusal of the protocol';

/** An event is done when the server has handed it to its handlers, or has refused it. What they answer goes nowhere. */
export class EventCall<T> extends ClientCall {
  #resolve: (value: T) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  /** Rejects with a `TransportError` that tells `sent`. */
  run(packet: OutgoingPacket): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.send(packet);
    });
  }

  override next(): void {}

  /** The server has refused the event, and no handler was called; what else an ERROR may say means nothing for an event. */
  override error(data: Buffer): void {
    this.fail(this.#readRefusal(data) ?? new RemoteError({}, NOT_A_REFUSAL));
  }

  override complete(): void {
    if (this.end()) this.#resolve(undefined as T); // Nest's type; nothing is said about an event but that it arrived
  }

  override fail(error: unknown): void {
    if (this.end()) this.#reject(error);
  }

  protected override start(call: Call): void {
    this.open('EVENT', encodeEvent(call));
  }

  #readRefusal(data: Buffer): TransportError | undefined {
    try {
      return readRefusal(data, decodeData(data, 0, this.options.host.maxJsonNodes));
    } catch {
      return undefined; // bad content
    }
  }
}
