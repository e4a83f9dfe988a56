import type { Serializer } from '@nestjs/microservices';

import { encodeData } from '../frame/payload.js';
import type { ServerStream, ServerStreams } from '../frame/server-streams.js';
import { InOrder } from './in-order.js';
import { errorData, toldCode, toldPacket } from './remote-error.js';
import type { ToldCode } from './remote-error.js';

export interface AnswerOptions {
  readonly streams: ServerStreams;
  readonly stream: ServerStream;
  /** The stream has something to send. */
  readonly flush: () => void;
  /** The user's, on packets. */
  readonly serializer: Serializer | undefined;
  /** A value could not be sent; the caller has been told, and needs no further ones. */
  readonly failed: (error: unknown) => void;
}

/** The answer to one request: values, then its end. What cannot be sent ends it with an error, so that nobody waits. */
export class Answer {
  readonly #options: AnswerOptions;
  readonly #order = new InOrder();

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  next(value: unknown): void {
    this.#send({ response: value }, ({ response }) => this.#next(response, false));
  }

  /** Undefined when the connection takes another value now, else what resolves when it does. */
  whenWritable(): Promise<void> | undefined {
    return this.#options.streams.whenWritable(this.#options.stream);
  }

  /** The only value of an answer. `undefined` is none, as in Nest. */
  only(value: unknown): void {
    if (value === undefined) this.complete();
    else this.#send({ response: value, isDisposed: true }, ({ response }) => this.#next(response, true));
  }

  complete(): void {
    this.#send({ isDisposed: true }, () => this.#options.streams.complete(this.#options.stream));
  }

  error(error: unknown): void {
    this.#send({ err: errorData(error), isDisposed: true }, ({ err }) => {
      this.#options.streams.error(this.#options.stream, encodeData(err));
    });
  }

  /** Ends the answer at once, ahead of what waits. */
  fail(code: ToldCode): void {
    this.#options.streams.fail(this.#options.stream, encodeData(toldPacket(code)));
    this.#options.flush();
  }

  #next(value: unknown, last: boolean): void {
    this.#options.streams.next(this.#options.stream, encodeData(value), last);
  }

  #send(packet: WritePacket, send: (packet: WritePacket) => void): void {
    const { serializer, flush } = this.#options;
    const serialize = (): WritePacket | Promise<WritePacket> => serializer?.serialize(packet) ?? packet;
    this.#order.run(
      serialize,
      (serialized) => {
        send(serialized);
        flush();
      },
      (error) => this.#refuse(error),
    );
  }

  #refuse(error: unknown): void {
    this.fail(toldCode(error));
    this.#options.failed(error);
  }
}

interface WritePacket {
  readonly response?: unknown;
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}
