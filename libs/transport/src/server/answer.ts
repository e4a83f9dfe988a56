import type { Serializer } from '@nestjs/microservices';
import type { ServerStream } from '@sealwire/channel';
import { answerCodeOf, wireError } from '@sealwire/channel/internal';
import type { WireErrorCode } from '@sealwire/channel/internal';

import { isKeyRefusal } from '../guard/key-refusal.js';
import type { KeyRefusal } from '../guard/key-refusal.js';
import type { ResultSink } from '../handler/result-sink.js';
import { checkSerialized } from '../packet/packet.js';
import { encodeData } from '../packet/payload.js';
import { errorData, HIDDEN } from '../packet/remote-error.js';
import { SerialQueue, MAX_STEPS_OF_ANSWER } from '../packet/serial-queue.js';
import { asApplicationError } from '../packet/wire-error.js';

/** The callbacks and the serializer that the answers of one connection share. */
export interface AnswerHost {
  /** The serializer of the user, which works on packets. */
  readonly serializer: Serializer | undefined;
  /** Called with an error that is hidden from the caller. */
  handlerFailed(stream: ServerStream, error: unknown): void;
  /** Called when a guard has refused the key of the client. */
  handlerForbidden(stream: ServerStream, refusal: KeyRefusal): void;
  /** Called when a value could not be sent. The caller has got an error and needs no further values. */
  answerFailed(stream: ServerStream, error: unknown): void;
}

/** The packet that Nest writes for each value, and at the end. */
interface WritePacket {
  readonly response?: unknown;
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}

/** The answer to one request: values, then the end. A value that cannot be sent ends it with an error. */
export class Answer implements ResultSink {
  readonly #host: AnswerHost;
  readonly #stream: ServerStream;
  /** Keeps values in order while they are serialized. */
  readonly #order: SerialQueue | undefined;

  constructor(host: AnswerHost, stream: ServerStream) {
    this.#host = host;
    this.#stream = stream;
    this.#order = host.serializer && new SerialQueue(MAX_STEPS_OF_ANSWER);
  }

  next(value: unknown): void {
    this.#send({ response: value });
  }

  /** Returns undefined if the connection takes another value now, or a promise that resolves when it does. */
  whenWritable(): Promise<void> | undefined {
    // The stream does not count the values that are still being serialized.
    const serialized = this.#order?.whenIdle;
    if (serialized === undefined) return this.#stream.whenWritable();
    return serialized.then(() => this.#stream.whenWritable());
  }

  /** Sends the only value of an answer. `undefined` is sent as an answer without a value, as in Nest. */
  only(value: unknown): void {
    this.#send({ response: value, isDisposed: true });
  }

  complete(): void {
    this.#send({ isDisposed: true });
  }

  error(error: unknown, isFiltered: boolean): void {
    if (isKeyRefusal(error)) {
      this.#host.handlerForbidden(this.#stream, error);
      this.fail('ERR_FORBIDDEN');
      return;
    }
    const err = errorData(error, isFiltered);
    if (err === HIDDEN) this.#host.handlerFailed(this.#stream, error);
    this.#send({ err, isDisposed: true });
  }

  /** Ends the answer immediately, before the values that wait. */
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
