import type { ClientLink } from '../client/client-link.js';
import { Deadline } from '../deadline.js';
import { toTransportError, TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { AnswerSink, ClientStream } from '../streams/client-stream.js';
import type { CallQueue } from './call-queue.js';

/** One request or event until it is answered. A subclass encodes the message and reads the answer. */
export abstract class Call implements AnswerSink {
  readonly kind: ClientStream['kind'];
  readonly #queue: CallQueue;
  #isOver = false;
  #deadline: Deadline | undefined;
  /** Ends the wait for a connection. */
  #wait: AbortController | undefined;
  #link: ClientLink | undefined;
  #stream: ClientStream | undefined;

  constructor(kind: ClientStream['kind'], queue: CallQueue) {
    this.kind = kind;
    this.#queue = queue;
  }

  abstract next(data: Buffer, last: boolean): void;
  abstract error(data: Buffer): void;
  abstract complete(): void;
  /** Passes a failure to the caller, unless the call is over. */
  protected abstract giveUp(error: unknown): void;

  fail(error: TransportError): void {
    this.giveUp(error);
  }

  /**
   * Starts the deadline of the whole call, including the wait for a connection.
   *
   * @param timeoutMs - For the text of the error. @param leftMs - The part of it that is left; 0: no deadline.
   */
  protected limitTime(timeoutMs: number, leftMs: number): void {
    if (leftMs > 0) this.#deadline = new Deadline(leftMs, () => this.#expire(timeoutMs));
  }

  /** Gives the message to a connection, or waits for one. Never throws: every failure ends the call. */
  protected start(message: OutgoingMessage): void {
    const link = this.#queue.isEmptyFor(this.kind) ? this.#queue.links.pick(this.kind) : undefined;
    if (link === undefined) this.#waitForLink(message);
    else this.#open(link, message);
  }

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** Returns false if the call had ended before: a later result is ignored. */
  protected end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#deadline?.clear();
    this.#wait?.abort();
    return true;
  }

  /** Cancels the stream: the server stops its work, and late frames are ignored. */
  protected cancelStream(): void {
    if (this.#stream !== undefined) this.#link?.streams.cancel(this.#stream);
  }

  #waitForLink(message: OutgoingMessage): void {
    const wait = (this.#wait = new AbortController());
    this.#queue.add({
      kind: this.kind,
      bytes: message.bytes,
      signal: wait.signal,
      start: (link) => this.#open(link, message),
      fail: (error) => this.giveUp(error),
    });
  }

  #open(link: ClientLink, message: OutgoingMessage): void {
    if (this.#isOver) return;
    if (this.#deadline !== undefined) message.prefix = this.#deadline.leftMs; // an event gets its sequence instead
    this.#link = link;
    try {
      this.#stream = link.open(this.kind, message, this);
    } catch (error) {
      this.fail(toTransportError(error));
    }
  }

  #expire(timeoutMs: number): void {
    const sent = this.#stream?.at === 'SEALED';
    this.cancelStream();
    this.giveUp(requestTimedOut(timeoutMs, sent));
  }
}

export function requestTimedOut(timeoutMs: number, sent: boolean): TransportError {
  return new TransportError('ERR_REQUEST_TIMEOUT', `No answer within ${timeoutMs} ms`, { sent });
}
