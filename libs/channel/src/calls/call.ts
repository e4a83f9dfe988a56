import type { ClientLink } from '../client/client-link.js';
import { Deadline } from '../deadline.js';
import { isTransportError, toTransportError, TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { closedBefore } from '../pool/waiting-calls.js';
import type { AnswerSink, ClientStream } from '../streams/client-stream.js';
import type { CallQueue } from './call-queue.js';
import { MAX_ATTEMPTS, moveAfterFailure, moveAfterRefusal } from './move.js';
import type { Move } from './move.js';

/** The memory of a call of its failed attempts. */
interface Past {
  /** The first failure after which a handler may have run; undefined if none has. */
  sentFailure: TransportError | undefined;
  /** The instance ids of the servers that have refused it. */
  readonly refusedBy: Set<string>;
}

/**
 * One request or event until it is answered, which may take several attempts (docs/adr/0018-retries.md). A subclass
 * encodes the message and reads the answer. The first attempt on an open connection needs no object except the stream.
 */
export abstract class Call implements AnswerSink {
  readonly kind: ClientStream['kind'];
  readonly mayRepeat: boolean;
  readonly #queue: CallQueue;
  readonly #closesBefore: number;
  readonly #linkClosesBefore: number;
  #isOver = false;
  #hasValue = false;
  #attempts = 1;
  #past: Past | undefined;
  #deadline: Deadline | undefined;
  /** Ends the wait for a connection. */
  #wait: AbortController | undefined;
  #message: OutgoingMessage | undefined;
  #link: ClientLink | undefined;
  #stream: ClientStream | undefined;

  /** @param mayRepeat - Whether running the handler twice is safe, so that a call that was sent may be sent again. */
  constructor(kind: ClientStream['kind'], queue: CallQueue, mayRepeat: boolean) {
    this.kind = kind;
    this.#queue = queue;
    this.mayRepeat = mayRepeat;
    this.#closesBefore = queue.closes;
    this.#linkClosesBefore = queue.links.closes;
  }

  abstract next(data: Buffer, last: boolean): void;
  abstract error(data: Buffer): void;
  abstract complete(): void;
  /** Passes a failure to the caller, unless the call is over. */
  protected abstract giveUp(error: unknown): void;
  /** Notes that another attempt begins. */
  protected noteRetry(): void {}

  /** Handles a failure of the connection: tries again if that is safe. */
  fail(error: TransportError): void {
    const move = moveAfterFailure(error, this.mayRepeat && !this.#hasValue);
    if (move !== undefined && this.#retry(move, error)) return;
    this.giveUp(this.ofAllAttempts(move === 'UNSENT' && this.#isCutOff ? closedBefore() : error));
  }

  /** Handles a failure of the transport with which a server answered. Returns false if the call is not tried again. */
  protected retriesAfter(refusal: TransportError): boolean {
    const move = this.#hasValue ? undefined : moveAfterRefusal(refusal, this.mayRepeat);
    return move !== undefined && this.#retry(move, refusal);
  }

  /**
   * Returns the last failure with the number of attempts, and with `sent: true` if a handler may have run in any of them.
   * A failure without `sent`, such as that of the key file, is replaced by the one after which a handler may have run.
   */
  protected ofAllAttempts(error: unknown): unknown {
    const sentFailure = this.#past?.sentFailure;
    if (!isTransportError(error)) return sentFailure ?? error;
    if (this.#attempts === 1 && sentFailure === undefined) return error;
    const message = this.#attempts === 1 ? error.message : `${error.message} (after ${this.#attempts} attempts)`;
    const sent = sentFailure === undefined ? error.sent : true;
    return new TransportError(error.code, message, { cause: error.cause, ...(sent !== undefined && { sent }) });
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
    const queue = this.#queue;
    queue.budget.noteCall();
    this.#message = message;
    this.#openOrWait(queue.isEmptyFor(this.kind) ? queue.links.pick(this.kind) : undefined, message);
  }

  /** Called with each connection that the message is given to. */
  protected noteLink(_link: ClientLink): void {}

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

  /** Ends the deadline, because the caller has got its result although the call goes on. */
  protected stopDeadline(): void {
    this.#deadline?.clear();
    this.#deadline = undefined;
  }

  /** Notes that the caller has got a value: the answer cannot begin again. */
  protected noteValue(): void {
    this.#hasValue = true;
  }

  /** Cancels the stream: the server stops its work, and late frames are ignored. */
  protected cancelStream(): void {
    if (this.#stream !== undefined) this.#link?.streams.cancel(this.#stream);
  }

  /** Begins another attempt. Returns false if there is none. */
  #retry(move: Move, failure: TransportError): boolean {
    const queue = this.#queue;
    const message = this.#message;
    const isFinal = this.#isOver || this.#attempts >= MAX_ATTEMPTS;
    if (isFinal || queue.closes !== this.#closesBefore || this.#isCutOff || message === undefined) return false;
    const past = (this.#past ??= { sentFailure: undefined, refusedBy: new Set() });
    if (move === 'REPEATED') past.sentFailure ??= failure.ofMessage(true);
    if ((move === 'REFUSED' || move === 'LEAVING') && this.#link !== undefined) past.refusedBy.add(this.#link.serverId);
    if (move === 'LEAVING') this.#link?.connection.retire(); // it takes no new calls, whether or not it has said so
    const mayPick = move === 'REFUSED' || queue.isEmptyFor(this.kind);
    const link = mayPick ? queue.links.pick(this.kind, past.refusedBy) : undefined;
    if (move === 'REFUSED' && link === undefined) return false;
    if ((move === 'REFUSED' || move === 'REPEATED') && !queue.budget.take()) return false;
    this.#attempts += 1;
    message.hasPlace = true;
    queue.retries += 1;
    this.noteRetry();
    this.#openOrWait(link, message);
    return true;
  }

  /** Whether the connections were closed after the call was made: it may not use later ones. */
  get #isCutOff(): boolean {
    return this.#queue.links.closes !== this.#linkClosesBefore;
  }

  #openOrWait(link: ClientLink | undefined, message: OutgoingMessage): void {
    if (this.#isCutOff) {
      this.giveUp(this.ofAllAttempts(closedBefore()));
      return;
    }
    if (link !== undefined) {
      this.#open(link, message);
      return;
    }
    const wait = (this.#wait = new AbortController());
    this.#queue.add({
      kind: this.kind,
      message,
      signal: wait.signal,
      start: (next) => this.#open(this.#queue.links.pick(this.kind, this.#past?.refusedBy) ?? next, message),
      fail: (error) => this.giveUp(this.ofAllAttempts(error)),
    });
  }

  #open(link: ClientLink, message: OutgoingMessage): void {
    if (this.#isOver) return;
    if (this.#deadline !== undefined) message.prefix = this.#deadline.leftMs; // an event gets its sequence instead
    const attempt = this.#attempts;
    this.#link = link;
    this.#stream = undefined;
    this.noteLink(link);
    try {
      const stream = link.open(this.kind, message, this);
      if (attempt === this.#attempts) this.#stream = stream; // writing may have failed, and the call has moved on
    } catch (error) {
      this.fail(toTransportError(error));
    }
  }

  #expire(timeoutMs: number): void {
    const sent = this.#stream?.wasSealed ?? false;
    this.cancelStream();
    this.giveUp(this.ofAllAttempts(requestTimedOut(timeoutMs, sent)));
  }
}

export function requestTimedOut(timeoutMs: number, sent: boolean): TransportError {
  return new TransportError('ERR_REQUEST_TIMEOUT', `The call timed out: it was not complete within ${timeoutMs} ms`, {
    sent,
  });
}
