// One request or event of a client, and the object that it is answered on (docs/protocol.md §6.5, §6.6):
//
//   RECEIVING → RUNNING (its message is complete) → ANSWERED (its end is queued) → CLOSED (its end is sealed, or CANCEL came)
//             ↘ ANSWERED_EARLY (its end is queued, and its message is not complete) ↗
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { SendingStream } from '../sending/sending-stream.js';
import type { AnswerQueue } from './answer-queue.js';
import type { MessageAssembler } from './assembler.js';

/** What serves the streams. */
export interface StreamHandler {
  /** A request is not complete, and its timeout has come (0: none): it may be failed from now on. */
  onRequestBegun(stream: ServerStream, timeoutMs: number): void;
  /** @param message - A view of its record, or a buffer of its own. */
  onRequest(stream: ServerStream, message: Buffer): void;
  onEvent(stream: ServerStream, message: Buffer): void;
  /** There is no memory for a message: it is to be refused. @param begun - What has come of it: all of an event's sequence. */
  onNoMemory(stream: ServerStream, begun: Buffer): void;
  /** The server shuts down: it is to be answered now. @param begun - What has come of a message that is not complete. */
  onShutDown(stream: ServerStream, begun: Buffer | undefined): void;
  /** No stream is open, and nothing has come or gone for a while. */
  onIdle?(): void;
  /** The client lost interest, or the connection is over: nothing that is sent for the stream goes out any more. */
  onCancelled(stream: ServerStream): void;
}

/**
 * Answers one request or event. After its end, or when nobody waits for it any more, every verb does nothing. What is to be
 * sent is scheduled: no caller flushes.
 */
export class ServerStream extends SendingStream {
  readonly kind: 'REQUEST' | 'EVENT';
  /** When its first frame came: its timeout counts from then. */
  readonly firstFrameMs: number;
  /** E ‖ T of the record that completed its message, if the server keeps it. */
  sealedRecord: Buffer | undefined;
  /** Of values and errors that it was answered with. */
  answerBytes = 0;
  /** This and what follows is for the `ServerStreams` alone. */
  at: 'RECEIVING' | 'RUNNING' | 'ANSWERED' | 'ANSWERED_EARLY' | 'CLOSED' = 'RECEIVING';
  /** As much of an incomplete request has come as its timeout takes. */
  hasTimeout = false;
  /** There was no memory for its message, and it is to be refused. */
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

  /** Its message is complete, its end is not queued, and somebody waits for its answer. */
  get isRunning(): boolean {
    return this.at === 'RUNNING';
  }

  /** Its message may be incomplete; its end is not queued, and somebody waits for its answer. */
  get isUnanswered(): boolean {
    return this.at === 'RECEIVING' || this.at === 'RUNNING';
  }

  /**
   * To be asked before a value is copied, if its size is known: what cannot be sent must not cost memory first.
   *
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` or `ERR_ANSWER_OVERFLOW`: a value of so many bytes cannot be sent.
   */
  checkRoom(bytes: number): void {
    this.#answers.checkRoom(bytes);
  }

  /**
   * Answers with one value; `last` says that no further one comes.
   *
   * @throws {TransportError} As {@link checkRoom}: the caller answers with {@link fail} instead.
   */
  next(value: OutgoingMessage, last: boolean): void {
    if (!this.isRunning) return;
    this.#answers.checkRoom(value.bytes);
    this.answerBytes += value.bytes;
    if (last) this.at = 'ANSWERED';
    this.#answers.pushValue(this, value, last);
  }

  /** Ends the answer with an error, after the values that wait. */
  error(error: OutgoingMessage): void {
    if (!this.isRunning) return;
    this.at = 'ANSWERED';
    this.answerBytes += error.bytes;
    this.#answers.pushError(this, error);
  }

  /** No further value comes. */
  complete(): void {
    if (!this.isRunning) return;
    this.at = 'ANSWERED';
    this.#answers.pushEnd(this);
  }

  /**
   * Ends the answer with an error at once: what waits is dropped, also the rest of a value under way. The message need not
   * be complete.
   *
   * @param error - At most what one frame carries.
   */
  fail(error: OutgoingMessage): void {
    if (!this.isUnanswered) return;
    this.#end();
    this.answerBytes += error.bytes;
    this.#answers.replace(this, error);
  }

  /** Also an event that is not complete: it was handed over before. */
  acknowledge(): void {
    if (!this.isUnanswered) return;
    this.#end();
    this.#answers.pushSignal(this, 'ACK');
  }

  /**
   * For a source that can wait: undefined when the stream takes another value now, else what resolves when it does, or
   * when nobody waits for its answer any more. Several sources resume together: each has to ask again.
   */
  whenWritable(): Promise<void> | undefined {
    return this.isRunning ? this.#answers.whenWritable(this) : undefined;
  }

  /** What still comes of a message that is not complete is checked and dropped. */
  #end(): void {
    this.#assembler.discard(this.id);
    this.at = this.at === 'RUNNING' ? 'ANSWERED' : 'ANSWERED_EARLY';
  }
}
