// One request or event of a client, and the object for its answer (docs/protocol.md §6.5, §6.6):
//
//   RECEIVING → RUNNING (its message is complete) → ANSWERED (its end is queued) → CLOSED (its end is sealed, or CANCEL arrived)
//             ↘ ANSWERED_EARLY (its end is queued, and its message is not complete) ↗
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { SendingStream } from '../sending/sending-stream.js';
import type { AnswerQueue } from './answer-queue.js';
import type { MessageAssembler } from './assembler.js';

/** The handler of the streams of one connection. */
export interface StreamHandler {
  /**
   * Fires when the timeout of a request has been received (0: no timeout), before the request is complete. From then on,
   * the handler is allowed to fail the request.
   */
  onRequestBegun(stream: ServerStream, timeoutMs: number): void;
  /**
   * Fires when a request is complete.
   *
   * @param message - A view of its record, or a buffer of its own.
   */
  onRequest(stream: ServerStream, message: Buffer): void;
  /** Fires when an event is complete; `message` is as in `onRequest`. */
  onEvent(stream: ServerStream, message: Buffer): void;
  /**
   * Fires when there is no memory for a message; the handler must refuse it.
   *
   * @param begun - The first bytes of the message; for an event they include the whole sequence number.
   */
  onNoMemory(stream: ServerStream, begun: Buffer): void;
  /**
   * Fires when the server shuts down; the handler must answer the stream now.
   *
   * @param begun - The received part of an incomplete message.
   */
  onShutDown(stream: ServerStream, begun: Buffer | undefined): void;
  /** Fires when no stream is open and the connection has been idle for a while. */
  onIdle?(): void;
  /** Fires when the client has cancelled or the connection has ended: nothing more is sent for the stream. */
  onCancelled(stream: ServerStream): void;
}

/**
 * Answers one request or event. After the end of the answer, and after CANCEL, its methods do nothing. They schedule
 * the write themselves: callers need not flush.
 */
export class ServerStream extends SendingStream {
  readonly kind: 'REQUEST' | 'EVENT';
  /** The arrival of its first frame, at which its timeout starts. */
  readonly firstFrameMs: number;
  /** E ‖ T of the record that completed its message, if the server keeps it. */
  sealedRecord: Buffer | undefined;
  /** Whether its handler has begun, so that it must not be refused (R6.35). Its answer may end after the handler. */
  hasBegun = false;
  /** The bytes of all values and errors of its answer. */
  answerBytes = 0;
  /** The state of the stream. `at`, `hasTimeout` and `lacksMemory` are only for `ServerStreams`. */
  at: 'RECEIVING' | 'RUNNING' | 'ANSWERED' | 'ANSWERED_EARLY' | 'CLOSED' = 'RECEIVING';
  /** Whether the timeout value of an incomplete request was received. */
  hasTimeout = false;
  /** Whether there was no memory for its message, which must be refused. */
  lacksMemory = false;
  readonly #answers: AnswerQueue;
  readonly #assembler: MessageAssembler;

  constructor(
    kind: 'REQUEST' | 'EVENT',
    id: number,
    firstFrameMs: number,
    answers: AnswerQueue,
    assembler: MessageAssembler,
  ) {
    super(id);
    this.kind = kind;
    this.firstFrameMs = firstFrameMs;
    this.#answers = answers;
    this.#assembler = assembler;
  }

  /** Whether its message is complete, its answer has not ended, and the client still waits for it. */
  get isRunning(): boolean {
    return this.at === 'RUNNING';
  }

  /** Whether its answer has not ended, and the client still waits for it; the message may be incomplete. */
  get isUnanswered(): boolean {
    return this.at === 'RECEIVING' || this.at === 'RUNNING';
  }

  /**
   * Checks whether a value can be sent. Call it before you copy a value of known size, to save the memory.
   *
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` or `ERR_ANSWER_OVERFLOW`: a value of `bytes` cannot be sent.
   */
  checkRoom(bytes: number): void {
    this.#answers.checkRoom(bytes);
  }

  /**
   * Sends one value of the answer; `last` ends the answer.
   *
   * @throws {TransportError} An error of {@link checkRoom}. Answer with {@link fail} instead.
   */
  next(value: OutgoingMessage, last: boolean): void {
    if (!this.isRunning) return;
    this.#answers.checkRoom(value.bytes);
    this.answerBytes += value.bytes;
    if (last) this.at = 'ANSWERED';
    this.#answers.pushValue(this, value, last);
  }

  /** Ends the answer with an error after the waiting values. */
  error(error: OutgoingMessage): void {
    if (!this.isRunning) return;
    this.at = 'ANSWERED';
    this.answerBytes += error.bytes;
    this.#answers.pushError(this, error);
  }

  /** Ends the answer. */
  complete(): void {
    if (!this.isRunning) return;
    this.at = 'ANSWERED';
    this.#answers.pushEnd(this);
  }

  /**
   * Ends the answer with an error immediately. Drops waiting values, including the rest of a started one. The message
   * may be incomplete.
   *
   * @param error - Must fit into one frame.
   */
  fail(error: OutgoingMessage): void {
    if (!this.isUnanswered) return;
    this.#end();
    this.answerBytes += error.bytes;
    this.#answers.replace(this, error);
  }

  /** Acknowledges an event, which may still be incomplete if it is a copy of one that was passed on before. */
  acknowledge(): void {
    if (!this.isUnanswered) return;
    this.#end();
    this.#answers.pushSignal(this, 'ACK');
  }

  /**
   * Returns undefined if the stream takes another value now, otherwise a promise that resolves when it does, or when
   * the answer is no longer needed. All waiting callers resume together, so each must call this again before it sends.
   */
  whenWritable(): Promise<void> | undefined {
    return this.isRunning ? this.#answers.whenWritable(this) : undefined;
  }

  /** Ends the answer, and discards the rest of an incomplete message. */
  #end(): void {
    this.#assembler.discard(this.id);
    this.at = this.at === 'RUNNING' ? 'ANSWERED' : 'ANSWERED_EARLY';
  }
}
