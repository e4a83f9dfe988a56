// The client's side of streams (docs/protocol.md §6.5, §6.6).
import type { Moment } from '../moment.js';
import type { TransportError } from '../errors.js';
import { endsStream, MAX_STREAM_ID } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';
import { unexpected } from '../frame/violation.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { FrameSender } from '../sending/sender.js';
import type { FrameWriter, Sending } from '../sending/sending.js';
import { MessageAssembler, NO_MEMORY } from './assembler.js';
import type { AssemblerLimits, ReceiverLimits } from './assembler.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import type { EventSequence } from './event-sequence.js';
import { IdTable } from './id-table.js';
import { noMemory, ofSealed, refusal } from './stream-failure.js';
import { StreamOpener } from './stream-opener.js';
import type { OpenerOwner, StreamOpenerOptions } from './stream-opener.js';
import { MANY_STREAMS } from './streams.js';
import type { Streams } from './streams.js';

export interface ClientStreamsOptions extends StreamOpenerOptions {
  /** Announced by this side. */
  readonly own: ReceiverLimits;
  /** Announced by the peer: it binds this side as a sender. */
  readonly peer: AssemblerLimits & { readonly maxInFlight: number };
  /** When the connection was opened; undefined: long ago. */
  readonly openedAt?: Moment;
  /** The id of the first stream; 1 except in tests. */
  readonly firstId?: number;
  /** Called when a request is cancelled that has no answer yet, for example by its timeout. */
  readonly onUnanswered?: () => void;
  /** Called when events wait to be sent again on another connection to the same server, and none takes them. */
  readonly onKept?: () => void;
}

/** Leaves room to move to another connection before the ids run out. */
const SPARE_IDS = 65_536;
const LONG_AGO: Moment = { nowMs: 0, unixMs: 0 };

export class ClientStreams implements OpenerOwner, Streams {
  readonly #sender: FrameSender<ClientStream>;
  readonly #opener: StreamOpener;
  readonly #assembler: MessageAssembler;
  /** Streams by id, which they get with their first frame. */
  readonly #open = new IdTable<ClientStream>();
  readonly #sequence: EventSequence;
  readonly #onKept: () => void;
  readonly #onUnanswered: () => void;
  readonly #openedAt: Moment;
  #endOfSeries: (() => TransportError) | undefined;
  #writer: FrameWriter | undefined;

  constructor(options: ClientStreamsOptions) {
    this.#sender = new FrameSender(options.peer.maxIncompleteBytes, options.firstId);
    this.#opener = new StreamOpener(options, this.#sender, this);
    this.#assembler = new MessageAssembler(options.own);
    this.#sequence = options.sequence;
    this.#openedAt = options.openedAt ?? LONG_AGO;
    this.#onKept = options.onKept ?? ((): void => undefined);
    this.#onUnanswered = options.onUnanswered ?? ((): void => undefined);
  }

  get sending(): Sending {
    return this.#sender;
  }

  /** A part of the open streams: the server works on it while this side produces the next part. */
  get burstCount(): number {
    return Math.max(1, Math.ceil(this.openCount / (this.openCount < MANY_STREAMS ? 4 : 2)));
  }

  get isIdle(): boolean {
    return this.openCount === 0 && this.queuedCount === 0;
  }

  get hasUnopened(): boolean {
    return this.#opener.hasUnopened;
  }

  /** The number of streams that hold a slot of the server. */
  get openCount(): number {
    return this.#opener.begunCount;
  }

  /** The number of streams that wait to begin. */
  get queuedCount(): number {
    return this.#opener.queuedCount;
  }

  /** Whether a new stream would begin immediately. */
  get hasFreeSlot(): boolean {
    return this.queuedCount === 0 && this.#opener.hasFreeSlot;
  }

  /** Whether the ids of this connection run out, so that the client must move to another one. */
  get isNearlyExhausted(): boolean {
    return this.#sender.nextId > MAX_STREAM_ID - SPARE_IDS;
  }

  get hasIncomplete(): boolean {
    return this.#assembler.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#assembler.stalestProgressMs;
  }

  setWriter(writer: FrameWriter): void {
    this.#writer = writer;
  }

  /**
   * Opens a stream.
   *
   * @param message - Kept until it is sealed.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_QUEUE_FULL`, `ERR_CONNECTION_DRAINING`,
   *   `ERR_STREAMS_EXHAUSTED`, all with `sent: false`.
   */
  open(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink): ClientStream {
    const stream = this.#opener.add(kind, message, sink);
    this.#writer?.schedule(false);
    return stream;
  }

  /** From now on, events of a lost connection to the same server are sent again on this one, before new events. */
  takeKept(): void {
    this.#opener.takeKept();
  }

  /** Takes the small events that wait to begin on another connection, in their order. */
  takeEventsOf(other: ClientStreams): void {
    this.#opener.takeEventsOf(other.#opener);
    this.#writer?.schedule(false);
  }

  onLateBegin(): void {
    // Paced, because the end of another event may have caused it while a record is being written.
    this.#writer?.schedule(true);
  }

  /**
   * Cancels a stream: its sink is no longer called. May be called at any time, also twice, and on a connection that the
   * event has left.
   */
  cancel(stream: ClientStream): void {
    if (stream.holder !== this) {
      stream.holder.cancel(stream);
      return;
    }
    switch (stream.at) {
      case 'QUEUED':
        this.#opener.end(stream);
        return;
      case 'BEGUN':
        this.#end(stream);
        this.#writer?.schedule(false); // another stream may have got the slot
        return;
      case 'SEALED':
        stream.at = 'CANCELLED';
        this.#assembler.discard(stream.id);
        this.#sender.cancel(stream);
        this.#writer?.schedule(false);
        if (stream.kind === 'REQUEST' && !stream.isSeries) this.#onUnanswered();
        return;
      case 'KEPT':
      case 'CANCELLED':
      case 'ENDED':
        return;
    }
  }

  /**
   * Ends all answers of several values, which may never end by themselves; later ones when they turn out to be such.
   */
  endSeries(reason: () => TransportError): void {
    this.#endOfSeries = reason;
    for (const [, stream] of this.#open.entries()) this.#endIfSeries(stream);
  }

  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    const bytes = this.#sender.writeNext(target, at, roomBytes);
    const { written } = this.#sender;
    if (bytes === 0 || written === undefined) return 0;
    if (written.opens) {
      this.#opener.noteSealed(written.stream);
      this.#open.set(written.stream.id, written.stream);
    }
    if (written.kind === 'CANCEL') this.#end(written.stream);
    else if (!written.more) written.stream.sink.sealed?.();
    if (written.opens || !written.more) this.#opener.beginEligible(); // there may be room for the next stream
    return bytes;
  }

  receive(frame: Frame, nowMs: number): void {
    const { kind, stream: id } = frame;
    if (kind === 'REQUEST' || kind === 'EVENT' || kind === 'CANCEL')
      throw unexpected(`the server sent ${kind}, which only a client may send`);
    if (id >= this.#sender.nextId) throw unexpected(`${kind} refers to a stream that was never opened`);
    const stream = this.#open.get(id);
    if (stream === undefined) return; // late: it crossed the end of the stream
    if (kind !== 'ERROR' && (kind === 'ACK') !== (stream.kind === 'EVENT'))
      throw unexpected(`the server answered ${stream.kind} with ${kind}`);
    this.#receiveAnswer(stream, frame, nowMs);
  }

  hibernate(): void {
    this.#sender.forgetWritten();
  }

  /** Nothing to do at a client: the server answers its streams. */
  shutDown(): void {}

  stopTaking(): void {
    this.#opener.stopTaking();
    this.#reportKept();
  }

  stopOpening(): void {
    this.#takeUnopened(true, () => refusal('ERR_CONNECTION_DRAINING', 'The connection is draining: use another one'));
  }

  stopSending(): void {
    this.stopOpening();
    for (const [, stream] of this.#open.entries()) this.#sender.drop(stream);
  }

  end(reason: () => TransportError, lastRead?: Moment): void {
    this.#opener.stopWaiting();
    const cause = reason();
    const mayKeep = cause.code !== 'ERR_CLIENT_CLOSED';
    const open = this.#open.entries().map(([, stream]) => stream);
    const lost = mayKeep ? open.filter((stream) => isLost(stream, cause)) : [];
    for (const stream of lost) this.#noteLoss(stream, reason, lastRead);
    this.#takeUnopened(mayKeep, reason, lost);
    for (const stream of open) {
      const isWanted = stream.holder === this && stream.at === 'SEALED';
      if (stream.holder === this) this.#end(stream);
      if (isWanted) stream.sink.fail(ofSealed(reason()));
    }
    this.#opener.leave();
  }

  #receiveAnswer(stream: ClientStream, frame: Frame, nowMs: number): void {
    const { kind, last } = frame;
    const isWanted = stream.at === 'SEALED';
    if (kind === 'COMPLETE' || kind === 'ACK') {
      if (this.#assembler.isIncomplete(stream.id)) throw unexpected(`${kind} arrived in the middle of a message`);
      this.#end(stream);
      if (isWanted) stream.sink.complete();
      return;
    }
    if (kind === 'ERROR') this.#assembler.dropOther(stream.id, 'ERROR');
    const data = this.#assembler.push(frame, nowMs);
    if (!isWanted) this.#assembler.discard(stream.id); // cancelled: only the end of the answer matters
    if (endsStream(frame)) this.#end(stream);
    if (data === undefined || !isWanted) return;
    if (data === NO_MEMORY) {
      this.cancel(stream);
      stream.sink.fail(noMemory());
      return;
    }
    stream.isSeries = !last;
    if (kind === 'ERROR') stream.sink.error(data);
    else stream.sink.next(data, last);
    this.#endIfSeries(stream);
  }

  #endIfSeries(stream: ClientStream): void {
    if (this.#endOfSeries === undefined || !stream.isSeries || stream.at !== 'SEALED') return;
    this.cancel(stream);
    stream.sink.fail(this.#endOfSeries().ofMessage(true));
  }

  /** Ends a stream in any state and frees its slot. */
  #end(stream: ClientStream): void {
    this.#sender.drop(stream);
    if (stream.at !== 'BEGUN') {
      this.#assembler.drop(stream.id);
      this.#open.delete(stream.id);
    }
    this.#opener.end(stream);
  }

  /**
   * Removes the streams of which no byte was sealed here. New ones fail.
   *
   * @param mayKeep - Whether events that were sealed on a lost connection are kept again. They fail otherwise.
   * @param lost - The events to keep with those.
   */
  #takeUnopened(mayKeep: boolean, reason: () => TransportError, lost: readonly ClientStream[] = []): void {
    const unopened = this.#opener.stopOpening();
    // First, because an event that ends may let a new one begin on another connection.
    this.#keep([...lost, ...unopened.filter(({ wasSealed }) => mayKeep && wasSealed)]);
    const failed = unopened.filter(({ holder }) => holder === this);
    for (const stream of failed) if (stream.at === 'BEGUN') this.#end(stream);
    this.#opener.fail(failed, reason);
  }

  /** Gives events to the sequence, which keeps them for another connection. */
  #keep(streams: readonly ClientStream[]): void {
    for (const stream of streams) {
      this.#sender.drop(stream);
      if (stream.at === 'SEALED') {
        this.#assembler.drop(stream.id);
        this.#open.delete(stream.id);
      }
      this.#opener.release(stream);
    }
    this.#sequence.keep(streams);
    this.#reportKept();
  }

  #noteLoss(stream: ClientStream, reason: () => TransportError, lastRead: Moment | undefined): void {
    // A server that has turned the connection away, or sent nothing, may not have looked at the event window.
    const isOld = stream.loss !== undefined && (lastRead === undefined || reason().sent === false);
    if (!isOld) stream.loss = { reason, lastRead: lastRead ?? this.#openedAt };
  }

  #reportKept(): void {
    if (this.#sequence.needsConnection) this.#onKept();
  }
}

/** Whether the server may have the event, so that only it can say whether a handler ran. */
function isLost({ kind, at, loss }: ClientStream, { sent }: TransportError): boolean {
  return kind === 'EVENT' && at === 'SEALED' && (sent !== false || loss !== undefined);
}
