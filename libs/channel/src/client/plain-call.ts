import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { decodePlainAnswer, decodePlainError } from '../sending/plain-message.js';
import type { AnswerSink, ClientStream } from '../streams/client-stream.js';
import type { ClientLink } from './client-link.js';

interface Settle {
  readonly resolve: (answer: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** One request or event of raw bytes, until it is answered. It keeps the last value of an answer. */
export class PlainCall implements AnswerSink {
  readonly #settle: Settle;
  #answer: Buffer | undefined;
  #cancel: (() => void) | undefined;
  #deadline: Deadline | undefined;

  constructor(settle: Settle) {
    this.#settle = settle;
  }

  /** @throws {TransportError} As `ClientLink.open`. */
  start(link: ClientLink, kind: ClientStream['kind'], message: OutgoingMessage, timeoutMs: number): void {
    const stream = link.open(kind, message, this);
    this.#cancel = () => link.streams.cancel(stream);
    if (timeoutMs === 0) return;
    this.#deadline = new Deadline(timeoutMs, () => {
      const sent = stream.at === 'SEALED';
      this.#cancel?.();
      this.fail(new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent }));
    });
  }

  next(data: Buffer, last: boolean): void {
    try {
      this.#answer = decodePlainAnswer(data);
      if (last) this.complete();
    } catch (error) {
      this.#cancel?.();
      this.fail(toTransportError(error).ofMessage(true));
    }
  }

  error(data: Buffer): void {
    this.fail(decodePlainError(data));
  }

  complete(): void {
    this.#deadline?.clear();
    this.#settle.resolve(this.#answer);
  }

  fail(error: Error): void {
    this.#deadline?.clear();
    this.#settle.reject(error);
  }
}
