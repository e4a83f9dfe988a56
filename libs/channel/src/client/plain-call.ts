import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { decodePlainAnswer, decodePlainError } from '../sending/plain-message.js';
import type { AnswerSink, ClientStream } from '../streams/client-stream.js';
import type { ClientLink } from './client-link.js';

/** Settles the promise of the caller. */
export interface Settle {
  /** @param answer - Empty if the answer has no value, as that of an event. */
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** One request or event of raw bytes until it is answered. Only the last value of an answer is kept. */
export class PlainCall implements AnswerSink {
  readonly kind: ClientStream['kind'];
  readonly message: OutgoingMessage;
  readonly #settle: Settle;
  readonly #deadline: Deadline | undefined;
  #isOver = false;
  #value: Buffer | undefined;
  /** Ends the wait for a connection. */
  #wait: AbortController | undefined;
  #cancel: (() => void) | undefined;
  #stream: ClientStream | undefined;

  /** @param timeoutMs - Of the wait for a connection and of the answer together; 0: none. */
  constructor(kind: ClientStream['kind'], message: OutgoingMessage, timeoutMs: number, settle: Settle) {
    this.kind = kind;
    this.message = message;
    this.#settle = settle;
    if (timeoutMs > 0) this.#deadline = new Deadline(timeoutMs, () => this.#expire(timeoutMs));
  }

  /** Opens the stream; every failure goes to {@link fail}. The server is given the time that is left. */
  start(link: ClientLink): void {
    if (this.#isOver) return;
    try {
      if (this.#deadline !== undefined) this.message.prefix = this.#deadline.leftMs;
      const stream = link.open(this.kind, this.message, this);
      this.#stream = stream;
      this.#cancel = () => link.streams.cancel(stream);
    } catch (error) {
      this.fail(error);
    }
  }

  /** As {@link start}, when there is a connection. */
  async startLater(connect: (signal: AbortSignal) => Promise<ClientLink>): Promise<void> {
    this.#wait = new AbortController();
    try {
      this.start(await connect(this.#wait.signal));
    } catch (error) {
      this.fail(error);
    }
  }

  next(data: Buffer, last: boolean): void {
    try {
      this.#value = decodePlainAnswer(data);
      if (last) this.complete();
    } catch (error) {
      this.#cancel?.();
      this.fail(toTransportError(error).ofMessage(true));
    }
  }

  error(data: Buffer): void {
    this.fail(decodePlainError(this.kind, data));
  }

  complete(): void {
    if (this.#end()) this.#settle.resolve(this.#value ?? Buffer.alloc(0));
  }

  fail(error: unknown): void {
    if (!this.#end()) return;
    this.#settle.reject(error);
    this.#wait?.abort(error);
  }

  #expire(timeoutMs: number): void {
    const sent = this.#stream?.at === 'SEALED';
    this.#cancel?.();
    this.fail(new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent }));
  }

  /** Returns false if the call had ended before. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#deadline?.clear();
    return true;
  }
}
