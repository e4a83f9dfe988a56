// The server's side of streams (docs/protocol.md §6.5, §6.6).
import { TransportError } from '../errors.js';
import { endsStream } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';
import { readSequence, readTimeout } from '../frame/prefix.js';
import { unexpected } from '../frame/violation.js';
import { NOTHING_TO_SEND } from '../sending/sending.js';
import type { FrameWriter, Sending } from '../sending/sending.js';
import { AnswerQueue } from './answer-queue.js';
import { MessageAssembler, NO_MEMORY } from './assembler.js';
import type { AssemblerLimits, ReceiverLimits } from './assembler.js';
import { IdTable } from './id-table.js';
import { ServerStream } from './server-stream.js';
import type { StreamHandler } from './server-stream.js';
import type { Streams } from './streams.js';

export interface ServerStreamsOptions {
  /** Announced by this side. The connection ends if the peer exceeds it. */
  readonly own: ReceiverLimits & { readonly maxInFlight: number };
  /** Announced by the peer. */
  readonly peer: AssemblerLimits;
  /** The maximum bytes of answers that wait to be sealed. */
  readonly maxQueuedBytes: number;
  readonly handler: StreamHandler;
  /** Whether each stream gets a copy of the record that completes its message. */
  readonly keepsSealedRecords?: boolean;
}

/** The state that a connection has only while it is in use. */
interface InUse {
  readonly open: IdTable<ServerStream>;
  readonly answers: AnswerQueue;
  readonly assembler: MessageAssembler;
}

export class ServerStreams implements Streams {
  readonly #own: ServerStreamsOptions['own'];
  readonly #peer: AssemblerLimits;
  readonly #maxQueuedBytes: number;
  readonly #handler: StreamHandler;
  readonly #keepsSealedRecords: boolean;
  #writer: FrameWriter | undefined;
  #inUse: InUse | undefined;
  #highestSeen = 0;
  #mayOpen = true;
  #mayAnswer = true;

  constructor({ own, peer, maxQueuedBytes, handler, keepsSealedRecords = false }: ServerStreamsOptions) {
    this.#own = own;
    this.#peer = peer;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#handler = handler;
    this.#keepsSealedRecords = keepsSealedRecords;
  }

  // Getters, because every connection would hold a field, and a number of its own for Infinity.

  get hasUnopened(): boolean {
    return false;
  }

  /** A server cannot count the requests that are on the way. */
  get burstCount(): number {
    return Infinity;
  }

  get sending(): Sending {
    return this.#inUse === undefined ? NOTHING_TO_SEND : this.#inUse.answers.sending;
  }

  get isIdle(): boolean {
    return this.openCount === 0;
  }

  get openCount(): number {
    return this.#inUse === undefined ? 0 : this.#inUse.open.size;
  }

  get hasIncomplete(): boolean {
    return this.#inUse !== undefined && this.#inUse.assembler.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#inUse?.assembler.stalestProgressMs;
  }

  setWriter(writer: FrameWriter): void {
    this.#writer = writer;
  }

  receive(frame: Frame, nowMs: number): void {
    const { kind, stream: id } = frame;
    switch (kind) {
      case 'REQUEST':
      case 'EVENT':
        this.#receiveMessage(kind, frame, nowMs);
        return;
      case 'CANCEL':
        if (id > this.#highestSeen) throw unexpected('CANCEL refers to a stream that was never opened');
        this.#cancel(id);
        return;
      case 'NEXT':
      case 'ERROR':
      case 'COMPLETE':
      case 'ACK':
        throw unexpected(`the client sent ${kind}, which only a server may send`);
    }
  }

  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    if (this.#inUse === undefined) return 0;
    const { answers } = this.#inUse;
    const bytes = answers.writeFrame(target, at, roomBytes);
    const { written } = answers;
    if (bytes > 0 && written !== undefined && endsStream(written)) close(this.#inUse, written.stream.id);
    return bytes;
  }

  shutDown(): void {
    if (this.#inUse === undefined) return;
    const { open, assembler } = this.#inUse;
    for (const [id, stream] of open.entries()) {
      if (!stream.isUnanswered) continue;
      const begun = assembler.isIncomplete(id) ? assembler.begunWith(id) : undefined;
      this.#handler.onShutDown(stream, begun);
    }
  }

  hibernate(): void {
    if (!this.isIdle) {
      this.#inUse?.answers.forgetWritten();
      return;
    }
    this.#inUse = undefined;
    this.#handler.onIdle?.();
  }

  /** Does nothing at a server, which serves all streams up to the client's GOAWAY. */
  stopTaking(): void {}

  stopOpening(): void {
    this.#mayOpen = false;
  }

  stopSending(): void {
    this.#mayAnswer = false;
    this.end();
  }

  end(): void {
    for (const [id] of this.#inUse?.open.entries() ?? []) this.#cancel(id);
  }

  #receiveMessage(kind: 'REQUEST' | 'EVENT', frame: Frame, nowMs: number): void {
    const inUse = (this.#inUse ??= this.#takeUp());
    const isNew = frame.stream > this.#highestSeen;
    const stream = isNew ? this.#openStream(inUse, kind, frame.stream, nowMs) : inUse.open.get(frame.stream);
    if (stream === undefined) return; // late: it crossed the end of its stream, or CLOSE
    const isReceiving = stream.at === 'RECEIVING' || stream.at === 'ANSWERED_EARLY';
    if (!isReceiving || stream.kind !== kind) throw unexpected(`${kind} arrived on a stream whose message is complete`);
    const message = inUse.assembler.push(frame, nowMs);
    if (stream.at === 'ANSWERED_EARLY') {
      if (!frame.more) stream.at = 'ANSWERED';
      return;
    }
    if (message === NO_MEMORY || stream.lacksMemory) {
      stream.lacksMemory = true;
      const begun = inUse.assembler.begunWith(stream.id);
      // An event waits for its sequence: it may have been handed over before.
      if (kind === 'REQUEST' || readSequence(begun) !== undefined) this.#handler.onNoMemory(stream, begun);
      return;
    }
    if (message === undefined) {
      if (kind === 'REQUEST' && !stream.hasTimeout) this.#noteTimeout(stream, inUse.assembler.begunWith(stream.id));
      return;
    }
    stream.at = 'RUNNING';
    if (this.#keepsSealedRecords) stream.sealedRecord = frame.copyOfRecord();
    if (kind === 'REQUEST') this.#handler.onRequest(stream, message);
    else this.#handler.onEvent(stream, message);
  }

  #noteTimeout(stream: ServerStream, begun: Buffer): void {
    const timeoutMs = readTimeout(begun);
    if (timeoutMs === undefined) return;
    stream.hasTimeout = true;
    this.#handler.onRequestBegun(stream, timeoutMs);
  }

  #takeUp(): InUse {
    return {
      open: new IdTable(),
      answers: new AnswerQueue(this.#peer, this.#maxQueuedBytes, this.#writer),
      assembler: new MessageAssembler(this.#own),
    };
  }

  #openStream(inUse: InUse, kind: ServerStream['kind'], id: number, nowMs: number): ServerStream | undefined {
    const { open, answers, assembler } = inUse;
    if (!this.#mayOpen) throw unexpected(`the client sent ${kind} after its GOAWAY`);
    this.#highestSeen = id;
    if (!this.#mayAnswer) return undefined;
    if (open.size >= this.#own.maxInFlight) {
      throw new TransportError(
        'ERR_IN_FLIGHT_LIMIT',
        `Too many open streams: this side accepts at most ${this.#own.maxInFlight}`,
      );
    }
    const stream = new ServerStream(kind, id, nowMs, answers, assembler);
    open.set(id, stream);
    return stream;
  }

  #cancel(id: number): void {
    const stream = this.#inUse?.open.get(id);
    if (this.#inUse === undefined || stream === undefined) return; // late
    const isKnown = stream.at !== 'RECEIVING' || stream.hasTimeout;
    this.#inUse.answers.drop(stream);
    close(this.#inUse, id);
    if (isKnown) this.#handler.onCancelled(stream);
  }
}

function close({ open, answers, assembler }: InUse, id: number): void {
  const stream = open.get(id);
  if (stream !== undefined) {
    stream.at = 'CLOSED';
    answers.resume(stream);
  }
  assembler.drop(id);
  open.delete(id);
}
