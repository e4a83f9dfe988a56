// The server's side of streams (docs/protocol.md §6.5, §6.6):
//
//   RECEIVING → RUNNING (its message is complete) → ANSWERED (its end is queued) → closed (its end is sealed, or CANCEL came)
//             ↘ ANSWERED_EARLY (its end is queued, and its message is not complete) ↗
import { TransportError } from '../errors.js';

import { MessageAssembler, NO_MEMORY } from './assembler.js';
import type { AssemblerLimits, ReceiverLimits } from './assembler.js';
import type { Frame } from './frame.js';
import { IdTable } from './id-table.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { readSequence, readTimeout } from './prefix.js';
import { FrameSender } from './sender.js';
import { OpenStream } from './server-stream.js';
import type { ServerStream, StreamHandler } from './server-stream.js';
import type { Sending, Streams } from './streams.js';
import { unexpected } from './violation.js';

export interface ServerStreamsOptions {
  /** What this side announced: the peer breaks it at the price of the connection. */
  readonly own: ReceiverLimits & { readonly maxInFlight: number };
  /** What the peer announced. */
  readonly peer: AssemblerLimits;
  /** Bytes of answers that may wait to be sealed. */
  readonly maxQueuedBytes: number;
  readonly handler: StreamHandler;
}

/** So much of one answer waits before its source is asked to wait: enough to fill the records of several turns. */
const MAX_AHEAD_BYTES = 65_536;
const MAX_AHEAD_VALUES = 64;

export class ServerStreams implements Streams {
  readonly hasUnopened = false;
  /** It is not known here how much the client has under way. */
  readonly burstCount = Infinity;
  readonly #options: ServerStreamsOptions;
  readonly #sender: FrameSender<OpenStream>;
  readonly #assembler: MessageAssembler;
  readonly #open = new IdTable<OpenStream>();
  /** Made when one pauses. */
  #paused: Set<OpenStream> | undefined;
  #highestSeen = 0;
  #mayOpen = true;
  #mayAnswer = true;

  constructor(options: ServerStreamsOptions) {
    this.#options = options;
    this.#sender = new FrameSender(options.peer.maxIncompleteBytes);
    this.#assembler = new MessageAssembler(options.own);
  }

  get sending(): Sending {
    return this.#sender;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get hasIncomplete(): boolean {
    return this.#assembler.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#assembler.stalestProgressMs;
  }

  receive(frame: Frame, nowMs: number): void {
    const { kind, stream: id } = frame;
    switch (kind) {
      case 'REQUEST':
      case 'EVENT':
        this.#receiveMessage(kind, frame, nowMs);
        return;
      case 'CANCEL':
        if (id > this.#highestSeen) throw unexpected('CANCEL for a stream that was never opened');
        this.#cancel(id);
        return;
      case 'NEXT':
      case 'ERROR':
      case 'COMPLETE':
      case 'ACK':
        throw unexpected(`${kind} from a client`);
    }
  }

  /**
   * To be asked before a value is copied, where its size is known: what cannot be sent must not cost memory first.
   *
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` or `ERR_ANSWER_OVERFLOW`: a value of so many bytes cannot be sent.
   */
  checkRoom(bytes: number): void {
    const { peer, maxQueuedBytes } = this.#options;
    if (bytes > peer.maxMessageBytes) {
      throw new TransportError(
        'ERR_MESSAGE_TOO_LARGE',
        `An answer of ${bytes} bytes; the client takes ${peer.maxMessageBytes}`,
      );
    }
    const { queuedBytes } = this.#sender;
    if (queuedBytes > 0 && queuedBytes + bytes > maxQueuedBytes) {
      throw new TransportError('ERR_ANSWER_OVERFLOW', `${queuedBytes} bytes of answers wait to be sent`);
    }
  }

  /**
   * Answers with one value; `last` says that no further one comes.
   *
   * @throws {TransportError} As {@link checkRoom}: the caller answers with {@link fail} instead.
   */
  next(stream: ServerStream, message: OutgoingMessage, last: boolean): void {
    const open = this.#running(stream);
    if (open === undefined) return;
    this.checkRoom(message.bytes);
    if (last) open.at = 'ANSWERED';
    this.#sender.sendMessage(open, 'NEXT', message, last);
  }

  /** Ends the answer with an error, behind the values that wait. */
  error(stream: ServerStream, message: OutgoingMessage): void {
    const open = this.#running(stream);
    if (open === undefined) return;
    open.at = 'ANSWERED';
    this.#sender.sendMessage(open, 'ERROR', message);
  }

  /**
   * Ends the answer with an error at once: what waits is dropped, also the rest of a value under way. The message need not
   * be complete.
   *
   * @param message - At most what one frame carries.
   */
  fail(stream: ServerStream, message: OutgoingMessage): void {
    const open = this.#unanswered(stream);
    if (open === undefined) return;
    this.#endAnswer(open);
    this.#sender.replace(open, message);
  }

  /** No further value comes. LAST on a value that still waits says so, else COMPLETE. */
  complete(stream: ServerStream): void {
    const open = this.#running(stream);
    if (open === undefined) return;
    open.at = 'ANSWERED';
    if (!this.#sender.markLast(open)) this.#sender.sendSignal(open, 'COMPLETE');
  }

  /** Also an event that is not complete: it was handed over before. */
  acknowledge(stream: ServerStream): void {
    const open = this.#unanswered(stream);
    if (open === undefined) return;
    this.#endAnswer(open);
    this.#sender.sendSignal(open, 'ACK');
  }

  /** Whether somebody waits for its answer. */
  isRunning(stream: ServerStream): boolean {
    return this.#running(stream) !== undefined;
  }

  /**
   * For a source that can wait: undefined when the stream takes another value now, else what resolves when it does, or
   * when nobody waits for its answer any more. Several sources resume together: each has to ask again.
   */
  whenWritable(stream: ServerStream): Promise<void> | undefined {
    const open = this.#running(stream);
    if (open === undefined || this.#isWritable(open)) return undefined;
    (this.#paused ??= new Set()).add(open);
    open.whenResumed ??= new Promise((resolve) => {
      open.resume = resolve;
    });
    return open.whenResumed;
  }

  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    const wasFull = this.#isFull;
    const bytes = this.#sender.writeNext(target, at, roomBytes);
    const { written } = this.#sender;
    if (bytes === 0 || written === undefined) return 0;
    const { stream, kind, more, last } = written;
    const paused = this.#paused;
    if (paused !== undefined && paused.size > 0) this.#resumeWritable(wasFull && !this.#isFull ? paused : [stream]);
    if (last || kind === 'COMPLETE' || kind === 'ACK' || (kind === 'ERROR' && !more)) this.#close(stream.id);
    return bytes;
  }

  shutDown(): void {
    for (const [id, stream] of this.#open.entries()) {
      if (this.#unanswered(stream) === undefined) continue;
      const begun = this.#assembler.isIncomplete(id) ? this.#assembler.begunWith(id) : undefined;
      this.#options.handler.shutDown(stream, begun);
    }
  }

  /** A server serves what comes before the client's GOAWAY. */
  stopTaking(): void {}

  stopOpening(): void {
    this.#mayOpen = false;
  }

  stopSending(): void {
    this.#mayAnswer = false;
    this.end();
  }

  end(): void {
    for (const [id] of this.#open.entries()) this.#cancel(id);
  }

  #receiveMessage(kind: 'REQUEST' | 'EVENT', frame: Frame, nowMs: number): void {
    const stream =
      frame.stream > this.#highestSeen ? this.#openStream(kind, frame.stream, nowMs) : this.#open.get(frame.stream);
    if (stream === undefined) return; // late: it crossed the end of its stream, or CLOSE
    const isReceiving = stream.at === 'RECEIVING' || stream.at === 'ANSWERED_EARLY';
    if (!isReceiving || stream.kind !== kind) throw unexpected(`${kind} on a stream that has its message`);
    const message = this.#assembler.push(frame, nowMs);
    if (stream.at === 'ANSWERED_EARLY') {
      if (!frame.more) stream.at = 'ANSWERED';
      return;
    }
    if (message === NO_MEMORY || stream.lacksMemory) {
      stream.lacksMemory = true;
      this.#refuse(stream);
      return;
    }
    if (message === undefined) {
      if (kind === 'REQUEST' && !stream.hasTimeout) this.#noteTimeout(stream);
      return;
    }
    stream.at = 'RUNNING';
    if (kind === 'REQUEST') this.#options.handler.request(stream, message);
    else this.#options.handler.event(stream, message);
  }

  /** An event not before its sequence has come: it may have been handed over before. */
  #refuse(stream: OpenStream): void {
    const begun = this.#assembler.begunWith(stream.id);
    if (stream.kind === 'EVENT' && readSequence(begun) === undefined) return;
    this.#options.handler.noMemory(stream, begun);
  }

  #noteTimeout(stream: OpenStream): void {
    const timeoutMs = readTimeout(this.#assembler.begunWith(stream.id));
    if (timeoutMs === undefined) return;
    stream.hasTimeout = true;
    this.#options.handler.begun(stream, timeoutMs);
  }

  #openStream(kind: 'REQUEST' | 'EVENT', id: number, nowMs: number): OpenStream | undefined {
    if (!this.#mayOpen) throw unexpected(`${kind} after GOAWAY`);
    this.#highestSeen = id;
    if (!this.#mayAnswer) return undefined;
    if (this.#open.size >= this.#options.own.maxInFlight) {
      throw new TransportError('ERR_IN_FLIGHT_LIMIT', `More than ${this.#options.own.maxInFlight} streams in flight`);
    }
    const stream = new OpenStream(kind, id, nowMs);
    this.#open.set(id, stream);
    return stream;
  }

  #cancel(id: number): void {
    const stream = this.#open.get(id);
    if (stream === undefined) return; // late
    this.#sender.drop(stream);
    this.#close(id);
    if (stream.at !== 'RECEIVING' || stream.hasTimeout) this.#options.handler.cancelled(stream);
  }

  get #isFull(): boolean {
    return this.#sender.queuedBytes * 2 > this.#options.maxQueuedBytes;
  }

  #isWritable({ queuedBytes, queuedCount }: OpenStream): boolean {
    return !this.#isFull && queuedBytes < MAX_AHEAD_BYTES && queuedCount < MAX_AHEAD_VALUES;
  }

  #resumeWritable(candidates: Iterable<OpenStream | undefined>): void {
    for (const stream of candidates) if (stream !== undefined && this.#isWritable(stream)) this.#resume(stream);
  }

  #resume(stream: OpenStream): void {
    this.#paused?.delete(stream);
    stream.resume?.();
    stream.resume = stream.whenResumed = undefined;
  }

  /** What still comes of a message that is not complete is checked and dropped. */
  #endAnswer(stream: OpenStream): void {
    this.#assembler.discard(stream.id);
    stream.at = stream.at === 'RUNNING' ? 'ANSWERED' : 'ANSWERED_EARLY';
  }

  /** The stream, if its message is complete, its end is not queued, and it is open. */
  #running(stream: ServerStream): OpenStream | undefined {
    const open = this.#unanswered(stream);
    return open?.at === 'RUNNING' ? open : undefined;
  }

  /** The stream, unless it is closed or its end is queued. */
  #unanswered(stream: ServerStream): OpenStream | undefined {
    if (!(stream instanceof OpenStream) || this.#open.get(stream.id) !== stream) return undefined;
    return stream.at === 'RECEIVING' || stream.at === 'RUNNING' ? stream : undefined;
  }

  #close(id: number): void {
    const stream = this.#open.get(id);
    if (stream !== undefined) this.#resume(stream);
    this.#assembler.drop(id);
    this.#open.delete(id);
  }
}
