import { toTransportError, TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { decodePlainAnswer, decodePlainError } from '../sending/plain-message.js';
import { Call } from './call.js';
import type { CallQueue } from './call-queue.js';

/** Settles the promise of the caller. */
export interface Settle {
  /** @param answer - Empty if the answer has no value, as that of an event. */
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

export interface PlainCallOptions {
  readonly kind: Call['kind'];
  readonly queue: CallQueue;
  /** As in {@link Call}. */
  readonly mayRepeat: boolean;
  /** Called if an event is lost that was complete when it was sealed; undefined for any other call. */
  readonly onLost?: ((error: unknown) => void) | undefined;
}

/** One request or event of raw bytes. Only the last value of an answer is kept. */
export class PlainCall extends Call {
  readonly #settle: Settle;
  readonly #onLost: PlainCallOptions['onLost'];
  #value: Buffer | undefined;
  #isSettled = false;

  constructor({ kind, queue, mayRepeat, onLost }: PlainCallOptions, settle: Settle) {
    super(kind, queue, mayRepeat);
    this.#settle = settle;
    this.#onLost = onLost;
  }

  /** @param timeoutMs - Of the wait for a connection and of the answer together; 0: none. */
  run(message: OutgoingMessage, timeoutMs: number): void {
    this.limitTime(timeoutMs, timeoutMs);
    this.start(message);
  }

  sealed(): void {
    if (this.#onLost === undefined || this.isOver) return;
    this.#isSettled = true;
    this.stopDeadline();
    this.#settle.resolve(Buffer.alloc(0));
  }

  override next(data: Buffer, last: boolean): void {
    try {
      this.#value = decodePlainAnswer(data);
      if (last) this.complete();
    } catch (error) {
      this.cancelStream();
      this.giveUp(toTransportError(error).ofMessage(true));
    }
  }

  override error(data: Buffer): void {
    const error = decodePlainError(this.kind, data);
    if (!(error instanceof TransportError)) this.giveUp(error);
    else if (!this.retriesAfter(error)) this.giveUp(this.ofAllAttempts(error));
  }

  override complete(): void {
    if (this.end()) this.#settle.resolve(this.#value ?? Buffer.alloc(0));
  }

  /** Drops the values so far, which were not given to the caller. */
  protected override noteRetry(): void {
    this.#value = undefined;
  }

  protected override giveUp(error: unknown): void {
    if (!this.end()) return;
    if (this.#isSettled) this.#onLost?.(error);
    else this.#settle.reject(error);
  }
}
