// The client's side of streams (docs/protocol.md §6.5, §6.6).
import { TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';

import { MessageAssembler } from './assembler.js';
import type { AssemblerLimits } from './assembler.js';
import { ClientStream, ENDED } from './client-stream.js';
import type { AnswerSink } from './client-stream.js';
import { EventSequence } from './event-sequence.js';
import { MAX_FRAGMENT_BYTES, MAX_STREAM_ID } from './frame.js';
import type { Frame } from './frame.js';
import { IdTable } from './id-table.js';
import { writeSequence } from './message.js';
import { OpeningQueue } from './opening-queue.js';
import { FrameSender, SendingStream } from './sender.js';
import type { Streams } from './streams.js';

export interface ClientStreamsOptions {
  /** What this side announced. */
  readonly own: AssemblerLimits;
  /** What the peer announced: it binds this side as a sender. */
  readonly peer: AssemblerLimits & { readonly maxInFlight: number };
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly sequence: EventSequence;
  /** Of the first stream; 1 unless a test says otherwise. */
  readonly firstId?: number;
}

/** Leaves room to move to another connection before the ids run out. */
const SPARE_IDS = 65_536;

export class ClientStreams implements Streams {
  readonly #options: ClientStreamsOptions;
  readonly #sender: FrameSender;
  readonly #assembler: MessageAssembler;
  /** Every stream that holds one of the peer's slots. */
  readonly #open = new IdTable<ClientStream>();
  readonly #queue = new OpeningQueue<ClientStream>();
  #nextId: number;
  #highestSealed = 0;
  #opened = 0;
  #mayTake = true;
  #endOfSeries: (() => TransportError) | undefined;
  #mayOpen = true;

  constructor(options: ClientStreamsOptions) {
    this.#options = options;
    this.#sender = new FrameSender(options.peer.maxIncompleteBytes);
    this.#assembler = new MessageAssembler(options.own);
    this.#nextId = options.firstId ?? 1;
  }

  get readyCount(): number {
    return this.#sender.readyCount;
  }

  /** A quarter of what is under way: the server works on one part while the next is made. */
  get burstCount(): number {
    return Math.max(1, Math.ceil(this.#open.size / 4));
  }

  get queuedBytes(): number {
    return this.#sender.queuedBytes;
  }

  get isIdle(): boolean {
    return this.#open.size === 0 && this.#queue.size === 0;
  }

  get hasUnopened(): boolean {
    return this.#queue.size > 0 || this.#open.entries().some(([, { state }]) => state.at === 'BEGUN');
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Streams that wait for their turn to begin. */
  get queuedCount(): number {
    return this.#queue.size;
  }

  /** Whether the ids of this connection run out: time to move to another one. */
  get isNearlyExhausted(): boolean {
    return this.#nextId > MAX_STREAM_ID - SPARE_IDS;
  }

  get hasIncomplete(): boolean {
    return this.#assembler.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#assembler.stalestProgressMs;
  }

  /**
   * @param payload - The encoded message; it is kept until it has been sealed.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_QUEUE_FULL`, `ERR_CONNECTION_DRAINING`, `ERR_STREAMS_EXHAUSTED`,
   *   all with `sent: false`.
   */
  open(kind: 'REQUEST' | 'EVENT', payload: Buffer, sink: AnswerSink): ClientStream {
    this.#checkOpening(payload.length);
    this.#opened += 1;
    const stream = new ClientStream(kind, payload, sink, this.#opened);
    if (this.#queue.size === 0 && this.#hasSlot && this.#mayBegin(stream)) {
      this.#begin(stream); // nobody is before it
      return stream;
    }
    this.#queue.push(stream);
    this.#beginEligible();
    return stream;
  }

  /** The caller lost interest: the sink hears nothing more. May be called at any time, also twice. */
  cancel(stream: ClientStream): void {
    const { state } = stream;
    switch (state.at) {
      case 'QUEUED':
        this.#queue.remove(stream);
        stream.state = ENDED;
        return;
      case 'BEGUN':
        this.#end(stream, state.sending.id);
        return;
      case 'SEALED':
        stream.state = { ...state, at: 'CANCELLED' };
        this.#assembler.drop(state.sending.id);
        this.#sender.drop(state.sending);
        this.#sender.sendSignal(state.sending, 'CANCEL');
        return;
      case 'CANCELLED':
      case 'ENDED':
        return;
    }
  }

  /** This side closes: answers of many values, which may never end, end now; each other one when it turns out to be one. */
  endSeries(reason: () => TransportError): void {
    this.#endOfSeries = reason;
    for (const [, stream] of this.#open.entries()) this.#endIfSeries(stream);
  }

  nextFrame(roomBytes: number): Frame | undefined {
    const frame = this.#sender.next(roomBytes);
    if (frame === undefined) return undefined;
    const stream = this.#open.get(frame.stream);
    if (stream !== undefined) this.#noteSealed(stream, frame);
    if (!frame.more) this.#beginEligible(); // the end of a large message makes room for the next
    return frame;
  }

  receive(frame: Frame, nowMs: number): void {
    const { kind, stream: id } = frame;
    if (kind === 'REQUEST' || kind === 'EVENT' || kind === 'CANCEL') throw unexpected(`${kind} from a server`);
    if (id > this.#highestSealed) throw unexpected(`${kind} for a stream that was never opened`);
    const stream = this.#open.get(id);
    if (stream === undefined) return; // late: it crossed the end of its stream
    if ((kind === 'ACK') !== (stream.kind === 'EVENT')) throw unexpected(`${kind} for ${stream.kind}`);
    if (stream.state.at === 'CANCELLED') this.#receiveUnwanted(stream, frame);
    else this.#receiveAnswer(stream, frame, nowMs);
  }

  stopTaking(): void {
    this.#mayTake = false;
  }

  stopOpening(): void {
    this.#mayTake = this.#mayOpen = false;
    for (const stream of this.#takeUnopened())
      stream.sink.fail(refusal('ERR_CONNECTION_DRAINING', 'The connection is going away'));
  }

  stopSending(): void {
    this.stopOpening();
    for (const [, { state }] of this.#open.entries()) if ('sending' in state) this.#sender.drop(state.sending);
  }

  end(reason: () => TransportError): void {
    this.#mayTake = this.#mayOpen = false;
    for (const stream of this.#takeUnopened()) stream.sink.fail(reason().ofMessage(false));
    for (const [id, stream] of this.#open.entries()) {
      const wanted = stream.state.at === 'SEALED';
      this.#end(stream, id);
      if (wanted) stream.sink.fail(ofSealed(reason()));
    }
  }

  #checkOpening(bytes: number): void {
    const { peer, maxQueuedBytes, maxQueuedMessages } = this.#options;
    if (!this.#mayTake) throw refusal('ERR_CONNECTION_DRAINING', 'The connection is closing');
    if (this.#nextId > MAX_STREAM_ID) throw refusal('ERR_STREAMS_EXHAUSTED', 'The connection has no stream id left');
    if (bytes > peer.maxMessageBytes) {
      throw refusal(
        'ERR_MESSAGE_TOO_LARGE',
        `${bytes} bytes; the server takes ${peer.maxMessageBytes} (maxMessageBytes)`,
      );
    }
    const waiting = this.#queue.bytes + this.#sender.queuedBytes;
    if (this.#queue.size >= maxQueuedMessages || (waiting > 0 && waiting + bytes > maxQueuedBytes)) {
      throw refusal('ERR_QUEUE_FULL', `${this.#queue.size} messages and ${waiting} bytes wait already`);
    }
  }

  get #hasSlot(): boolean {
    return this.#mayOpen && this.#open.size < this.#options.peer.maxInFlight && this.#nextId <= MAX_STREAM_ID;
  }

  #beginEligible(): void {
    while (this.#queue.size > 0 && this.#hasSlot) {
      const stream = this.#queue.takeNext((waiting) => this.#mayBegin(waiting));
      if (stream === undefined) return;
      this.#begin(stream);
    }
  }

  #mayBegin({ kind, payload }: ClientStream): boolean {
    if (payload.length > MAX_FRAGMENT_BYTES && !this.#sender.hasRoomFor(payload.length)) return false;
    return kind === 'REQUEST' || this.#options.sequence.mayBegin(this.#options.peer.maxInFlight);
  }

  #begin(stream: ClientStream): void {
    const sending = new SendingStream(this.#nextId);
    this.#nextId += 1;
    const sequence = stream.kind === 'EVENT' ? this.#options.sequence.begin() : undefined;
    if (sequence !== undefined) writeSequence(stream.payload, sequence);
    stream.state = { at: 'BEGUN', sending, sequence };
    this.#open.set(sending.id, stream);
    this.#sender.sendMessage(sending, stream.kind, stream.payload);
  }

  #noteSealed(stream: ClientStream, frame: Frame): void {
    if (frame.kind === 'CANCEL') {
      this.#end(stream, frame.stream);
      return;
    }
    if (stream.state.at !== 'BEGUN') return;
    const { sending, sequence } = stream.state;
    stream.state = { at: 'SEALED', sending, sequence };
    this.#highestSealed = frame.stream;
  }

  /** Somebody cancelled, and CANCEL waits to be sealed: only the end of the answer matters. */
  #receiveUnwanted(stream: ClientStream, { kind, more, last, stream: id }: Frame): void {
    const isFinal = last || kind === 'COMPLETE' || kind === 'ACK' || (kind === 'ERROR' && !more);
    if (isFinal) this.#end(stream, id);
  }

  #receiveAnswer(stream: ClientStream, frame: Frame, nowMs: number): void {
    const { kind, last, stream: id } = frame;
    if (kind === 'COMPLETE' || kind === 'ACK') {
      if (this.#assembler.isIncomplete(id)) throw unexpected(`${kind} in the middle of a message`);
      this.#end(stream, id);
      stream.sink.complete();
      return;
    }
    if (kind === 'ERROR') this.#assembler.dropOther(id, 'ERROR');
    const data = this.#assembler.push(frame, nowMs);
    if (data === undefined) return;
    if (kind === 'ERROR' || last) this.#end(stream, id);
    stream.isSeries = !last;
    if (kind === 'ERROR') stream.sink.error(data);
    else stream.sink.next(data, last);
    this.#endIfSeries(stream);
  }

  #endIfSeries(stream: ClientStream): void {
    if (this.#endOfSeries === undefined || !stream.isSeries || stream.state.at !== 'SEALED') return;
    this.cancel(stream);
    stream.sink.fail(this.#endOfSeries().ofMessage(true));
  }

  /** Frees the slot, whatever the stream was about. */
  #end(stream: ClientStream, id: number): void {
    const { state } = stream;
    if ('sending' in state) {
      this.#sender.drop(state.sending);
      if (state.sequence !== undefined) this.#options.sequence.settle(state.sequence);
    }
    stream.state = ENDED;
    this.#assembler.drop(id);
    this.#open.delete(id);
    this.#beginEligible();
  }

  /** Everything of which no byte was sealed. */
  #takeUnopened(): ClientStream[] {
    const queued = this.#queue.drain();
    for (const stream of queued) stream.state = ENDED;
    const begun = this.#open.entries().filter(([, { state }]) => state.at === 'BEGUN');
    for (const [id, stream] of begun) this.#end(stream, id);
    return [...queued, ...begun.map(([, stream]) => stream)];
  }
}

/** What was sealed counts as sent, unless the reason says that the server took nothing. */
function ofSealed(reason: TransportError): TransportError {
  return reason.sent === false ? reason : reason.ofMessage(true);
}

function refusal(code: TransportErrorCode, message: string): TransportError {
  return new TransportError(code, message, { sent: false });
}

function unexpected(what: string): TransportError {
  return new TransportError('ERR_FRAME_UNEXPECTED', what);
}
