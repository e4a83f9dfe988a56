// The server's side of streams (docs/protocol.md §6.5, §6.6): which are open, and what their frames mean.
import { TransportError } from '../errors.js';

import { AnswerQueue } from './answer-queue.js';
import { MessageAssembler, NO_MEMORY } from './assembler.js';
import type { AssemblerLimits, ReceiverLimits } from './assembler.js';
import { endsStream } from './frame.js';
import type { Frame } from './frame.js';
import { IdTable } from './id-table.js';
import { readSequence, readTimeout } from './prefix.js';
import { ServerStream } from './server-stream.js';
import type { StreamHandler } from './server-stream.js';
import type { FrameWriter, Sending, Streams } from './streams.js';
import { unexpected } from './violation.js';

export interface ServerStreamsOptions {
  /** What this side announced: the peer breaks it at the price of the connection. */
  readonly own: ReceiverLimits & { readonly maxInFlight: number };
  /** What the peer announced. */
  readonly peer: AssemblerLimits;
  /** Bytes of answers that may wait to be sealed. */
  readonly maxQueuedBytes: number;
  readonly handler: StreamHandler;
  /** Each stream gets a copy of the record that completes its message. */
  readonly keepsSealedRecords?: boolean;
}

export class ServerStreams implements Streams {
  readonly hasUnopened = false;
  /** It is not known here how much the client has under way. */
  readonly burstCount = Infinity;
  readonly #options: ServerStreamsOptions;
  readonly #answers: AnswerQueue;
  readonly #assembler: MessageAssembler;
  readonly #open = new IdTable<ServerStream>();
  #highestSeen = 0;
  #mayOpen = true;
  #mayAnswer = true;

  constructor(options: ServerStreamsOptions) {
    this.#options = options;
    this.#answers = new AnswerQueue(options.peer, options.maxQueuedBytes);
    this.#assembler = new MessageAssembler(options.own);
  }

  get sending(): Sending {
    return this.#answers.sending;
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

  setWriter(writer: FrameWriter): void {
    this.#answers.setWriter(writer);
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

  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    const bytes = this.#answers.writeFrame(target, at, roomBytes);
    const { written } = this.#answers;
    if (bytes > 0 && written !== undefined && endsStream(written)) this.#close(written.stream.id);
    return bytes;
  }

  shutDown(): void {
    for (const [id, stream] of this.#open.entries()) {
      if (!stream.isUnanswered) continue;
      const begun = this.#assembler.isIncomplete(id) ? this.#assembler.begunWith(id) : undefined;
      this.#options.handler.shutDown(stream, begun);
    }
  }

  rest(): void {
    this.#answers.rest();
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
    if (this.#options.keepsSealedRecords === true) stream.sealedRecord = frame.copyOfRecord();
    if (kind === 'REQUEST') this.#options.handler.request(stream, message);
    else this.#options.handler.event(stream, message);
  }

  /** An event not before its sequence has come: it may have been handed over before. */
  #refuse(stream: ServerStream): void {
    const begun = this.#assembler.begunWith(stream.id);
    if (stream.kind === 'EVENT' && readSequence(begun) === undefined) return;
    this.#options.handler.noMemory(stream, begun);
  }

  #noteTimeout(stream: ServerStream): void {
    const timeoutMs = readTimeout(this.#assembler.begunWith(stream.id));
    if (timeoutMs === undefined) return;
    stream.hasTimeout = true;
    this.#options.handler.begun(stream, timeoutMs);
  }

  #openStream(kind: 'REQUEST' | 'EVENT', id: number, nowMs: number): ServerStream | undefined {
    if (!this.#mayOpen) throw unexpected(`${kind} after GOAWAY`);
    this.#highestSeen = id;
    if (!this.#mayAnswer) return undefined;
    if (this.#open.size >= this.#options.own.maxInFlight) {
      throw new TransportError('ERR_IN_FLIGHT_LIMIT', `More than ${this.#options.own.maxInFlight} streams in flight`);
    }
    const stream = new ServerStream(kind, id, nowMs, this.#answers, this.#assembler);
    this.#open.set(id, stream);
    return stream;
  }

  #cancel(id: number): void {
    const stream = this.#open.get(id);
    if (stream === undefined) return; // late
    const isKnown = stream.at !== 'RECEIVING' || stream.hasTimeout;
    this.#answers.drop(stream);
    this.#close(id);
    if (isKnown) this.#options.handler.cancelled(stream);
  }

  #close(id: number): void {
    const stream = this.#open.get(id);
    if (stream !== undefined) {
      stream.at = 'CLOSED';
      this.#answers.resume(stream);
    }
    this.#assembler.drop(id);
    this.#open.delete(id);
  }
}
