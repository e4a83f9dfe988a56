import type { Serializer } from '@nestjs/microservices';
import type { ServerStream } from '@sealwire/channel';

import type { ResultSink } from '../handler/result-sink.js';
import { InOrder, MAX_STEPS_OF_ANSWER } from '../packet/in-order.js';
import { checkSerialized } from '../packet/packet.js';
import { encodeData } from '../packet/payload.js';
import { errorData, HIDDEN } from '../packet/remote-error.js';
import { answerCodeOf, asApplicationError, wireError } from '../packet/wire-error.js';
import type { WireErrorCode } from '../packet/wire-error.js';

/** What the answers of one connection have in common. */
export interface AnswerHost {
  /** The user's, on packets. */
  readonly serializer: Serializer | undefined;
  /** Its caller is told no more than that. */
  handlerFailed(stream: ServerStream, error: unknown): void;
  /** A value could not be sent; the caller has been told, and needs no further ones. */
  answerFailed(stream: ServerStream, error: unknown): void;
}

/** What Nest writes for each value, and at the end. */
interface WritePacket {
  readonly response?: unknown;
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}

/** The answer to one request: values, then its end. What cannot be sent ends it with an error, so that nobody waits. */
export class Answer implements ResultSink {
  readonly #host: AnswerHost;
  readonly #stream: ServerStream;
  /** Values must not overtake one another while they are serialized. */
  readonly #order: InOrder | undefined;

  constructor(host: AnswerHost, stream: ServerStream) {
    this.#host = host;
    this.#stream = stream;
    this.#order = host.serializer && new InOrder(MAX_STEPS_OF_ANSWER);
  }

  next(value: unknown): void {
    this.#send({ response: value });
  }

  /** Undefined when the connection takes another value now, else what resolves when it does. */
  whenWritable(): Promise<void> | undefined {
    // Values that are still being serialized wait nowhere that the stream knows of.
    const serialized = this.#order?.whenIdle;
    if (serialized === undefined) return this.#stream.whenWritable();
    return serialized.then(() => this.#stream.whenWritable());
  }

  /** The only value of an answer. `undefined` is none, as in Nest. */
  only(value: unknown): void {
    this.#send({ response: value, isDisposed: true });
  }

  complete(): void {
    this.#send({ isDisposed: true });
  }

  error(error: unknown, isFiltered: boolean): void {
    const err = errorData(error, isFiltered);
    if (err === HIDDEN) this.#host.handlerFailed(this.#stream, error);
    this.#send({ err, isDisposed: true });
  }

  /** Ends the answer at once, ahead of what waits. */
  fail(code: WireErrorCode): void {
    this.#stream.fail(encodeData(wireError(code)));
  }

  #send(packet: WritePacket): void {
    const { serializer } = this.#host;
    if (this.#order === undefined || serializer === undefined) {
      this.#writeOrRefuse(packet);
      return;
    }
    this.#order.run<WritePacket>(
      () => serializer.serialize(packet),
      (serialized) => this.#writeOrRefuse(checkSerialized(serialized)),
      (error) => this.#refuse(error),
    );
  }

  #writeOrRefuse(packet: WritePacket): void {
    try {
      this.#write(packet);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #write({ response, err, isDisposed = false }: WritePacket): void {
    const stream = this.#stream;
    if (err !== undefined && err !== null) stream.error(encodeData(asApplicationError(err)));
    else if (isDisposed && response === undefined) stream.complete();
    else {
      if (response instanceof Uint8Array) stream.checkRoom(response.byteLength); // before it is copied
      stream.next(encodeData(response), isDisposed);
    }
  }

  #refuse(error: unknown): void {
    this.fail(answerCodeOf(error));
    this.#host.answerFailed(this.#stream, error);
  }
}
