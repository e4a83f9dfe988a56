import type { Deserializer, Serializer, WritePacket } from '@nestjs/microservices';

import { TransportError } from '../errors.js';
import type { AnswerSink, ClientStream } from '../frame/client-streams.js';
import { encodeEvent, encodeRequest } from '../frame/message.js';
import type { Call } from '../frame/message.js';
import { decodeData } from '../frame/payload.js';
import type { Link } from './client-link.js';
import { InOrder } from './in-order.js';
import type { OutgoingPacket } from './record-builder.js';
import { toCallerError } from './remote-error.js';

export interface ClientCallOptions {
  readonly packet: OutgoingPacket;
  /** Of a request; 0: none. */
  readonly timeoutMs: number;
  /** Nest's normalised route. */
  readonly pattern: string;
  /** Undefined when the connection was lost between `connect()` and the call. */
  readonly link: Link | undefined;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
}

/** One `send()` or `emit()` on its way. */
export class ClientCall {
  readonly #options: ClientCallOptions;
  readonly #order = new InOrder();
  #stream: ClientStream | undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClientCallOptions) {
    this.#options = options;
  }

  /** @returns What cancels the request: Nest calls it on unsubscribe and after completion alike. */
  request(callback: (packet: WritePacket) => void): () => void {
    const { timeoutMs } = this.#options;
    const fail = (err: unknown): void => this.#finish(() => callback({ err }));
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.#expire(fail), timeoutMs);
    this.#withCall((call) => {
      this.#open('REQUEST', encodeRequest({ ...call, timeoutMs }), this.#requestSink(callback, fail));
    }, fail);
    return () => this.#cancel();
  }

  /** Resolves when the server has handed the event to its handlers. Rejects with a `TransportError` that tells `sent`. */
  event<T>(): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sink: AnswerSink = {
        next: () => undefined,
        error: () => undefined,
        complete: () => resolve(undefined as T), // Nest's type; nothing is said about an event but that it arrived
        fail: reject,
      };
      this.#withCall((call) => this.#open('EVENT', encodeEvent(call), sink), reject);
    });
  }

  /** The packet after the user's serializer. */
  #withCall(use: (call: Call) => void, fail: (error: unknown) => void): void {
    const { packet, pattern, serializer } = this.#options;
    const produce = (): OutgoingPacket | Promise<OutgoingPacket> => serializer?.serialize(packet) ?? packet;
    this.#order.run(
      produce,
      ({ data, metadata }) => {
        if (!this.#isOver) use({ pattern, data, metadata });
      },
      fail,
    );
  }

  #open(kind: 'REQUEST' | 'EVENT', payload: Buffer, sink: AnswerSink): void {
    const { link } = this.#options;
    if (link === undefined)
      throw new TransportError('ERR_CONNECTION_LOST', 'The connection was lost before the call', { sent: false });
    this.#stream = link.streams.open(kind, payload, sink);
    if (link.streams.isNearlyExhausted) void link.connection.close();
    link.connection.scheduleFlush();
  }

  #requestSink(callback: (packet: WritePacket) => void, fail: (error: unknown) => void): AnswerSink {
    const deliver = (produce: () => WritePacket | Promise<WritePacket>): void => {
      this.#order.run(
        produce,
        (packet) => {
          if (packet.isDisposed === true || packet.err !== undefined) this.#finish(() => callback(packet));
          else if (!this.#isOver) callback(packet);
        },
        (error) => {
          this.#cancelStream(); // nobody reads what the server still answers
          fail(error);
        },
      );
    };
    return {
      next: (data, last) => deliver(() => this.#deserialize({ response: decodeData(data), isDisposed: last })),
      error: (data) => deliver(() => this.#deserialize({ err: toCallerError(decodeData(data)) })),
      complete: () => deliver(() => this.#deserialize({ isDisposed: true })),
      fail,
    };
  }

  #deserialize(packet: WritePacket): WritePacket | Promise<WritePacket> {
    return this.#options.deserializer?.deserialize(packet) ?? packet;
  }

  #expire(fail: (error: unknown) => void): void {
    const { timeoutMs } = this.#options;
    const sent = this.#stream?.state.at === 'SEALED';
    this.#cancelStream();
    fail(new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent }));
  }

  #cancel(): void {
    if (this.#isOver) return;
    this.#finish(() => undefined);
    this.#cancelStream();
  }

  #cancelStream(): void {
    const { link } = this.#options;
    if (this.#stream === undefined || link === undefined) return;
    link.streams.cancel(this.#stream);
    link.connection.scheduleFlush();
  }

  /** Once: what comes later changes nothing. */
  #finish(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    tell();
  }
}
