// The client's side of streams (docs/protocol.md §6.5, §6.6).
import { LONG_AGO } from '../moment.js';
import type { Moment } from '../moment.js';
import type { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { FrameSender } from '../sending/sender.js';
import type { FrameWriter, Sending } from '../sending/sending.js';
import { ReceivedAnswers, type AnswersOwner } from './received-answers.js';
import type { AssemblerLimits, ReceiverLimits } from './assembler.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import { ofSealed, refusal } from './stream-failure.js';
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

export class ClientStreams implements AnswersOwner, OpenerOwner, Streams {
  readonly #options: ClientStreamsOptions;
  readonly #sender: FrameSender<ClientStream>;
  readonly #opener: StreamOpener;
  readonly #answers: ReceivedAnswers;
  #writer: FrameWriter | undefined;

  constructor(options: ClientStreamsOptions) {
    this.#options = options;
    this.#sender = new FrameSender(options.peer.maxIncompleteBytes, options.firstId);
    this.#opener = new StreamOpener(options, this.#sender, this);
    this.#answers = new ReceivedAnswers(options.own, this);
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
    return this.#sender.isNearlyExhausted;
  }

  get hasIncomplete(): boolean {
    return this.#answers.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#answers.stalestProgressMs;
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

  /** Sends events of a lost connection to the same server again on this one, from now on, before new events. */
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
    if (stream.holder !== this) return stream.holder.cancel(stream);
    switch (stream.at) {
      case 'QUEUED':
        this.#opener.end(stream);
        return;
      case 'BEGUN':
        this.endStream(stream);
        this.#writer?.schedule(false); // another stream may have got the slot
        return;
      case 'SEALED':
        stream.at = 'CANCELLED';
        this.#answers.discard(stream);
        this.#sender.cancel(stream);
        this.#writer?.schedule(false);
        if (stream.kind === 'REQUEST' && !stream.isSeries) this.#options.onUnanswered?.();
        return;
      case 'KEPT':
      case 'CANCELLED':
      case 'ENDED':
        return;
    }
  }

  /** Ends all answers of several values; see {@link ReceivedAnswers.endSeries}. */
  endSeries(reason: () => TransportError): void {
    this.#answers.endSeries(reason);
  }

  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    const bytes = this.#sender.writeNext(target, at, roomBytes);
    const { written } = this.#sender;
    if (bytes === 0 || written === undefined) return 0;
    if (written.opens) {
      this.#opener.noteSealed(written.stream);
      this.#answers.add(written.stream);
    }
    if (written.kind === 'CANCEL') this.endStream(written.stream);
    else if (!written.more) written.stream.sink.sealed?.();
    if (written.opens || !written.more) this.#opener.beginEligible(); // there may be room for the next stream
    return bytes;
  }

  receive(frame: Frame, nowMs: number): void {
    this.#answers.receive(frame, this.#sender.nextId, nowMs);
  }

  hibernate(): void {
    this.#sender.forgetWritten();
  }

  /** Does nothing at a client, because the server answers its streams. */
  shutDown(): void {}

  stopTaking(): void {
    this.#opener.stopTaking();
    this.#reportKept();
  }

  stopOpening(): void {
    this.#opener.fail(this.#takeUnopened(true), () =>
      refusal('ERR_CONNECTION_DRAINING', 'The connection is draining: use another one'),
    );
  }

  stopSending(): void {
    this.stopOpening();
    for (const stream of this.#answers.streams()) this.#sender.drop(stream);
  }

  end(reason: () => TransportError, lastRead?: Moment): void {
    this.#opener.stopWaiting();
    const cause = reason();
    const mayKeep = cause.code !== 'ERR_CLIENT_CLOSED';
    const open = this.#answers.streams();
    const lost = mayKeep ? open.filter((stream) => stream.isLostWith(cause)) : [];
    for (const stream of lost) stream.noteLoss(reason, lastRead, this.#options.openedAt ?? LONG_AGO);
    const unopened = this.#takeUnopened(mayKeep, lost);
    const rest = open.filter(({ holder }) => holder === this);
    const sealed = new Set(rest.filter(({ at }) => at === 'SEALED'));
    // Together, in their order, because all of them may move.
    const failed = [...sealed, ...unopened].sort((a, b) => a.order - b.order);
    this.#opener.fail(failed, (stream) =>
      sealed.has(stream) ? ofSealed(reason()) : reason().ofMessage(stream.wasSealed),
    );
    for (const stream of rest) if (stream.at !== 'ENDED') this.endStream(stream); // cancelled
    this.#opener.leave();
  }

  /** Ends a stream in any state and frees its slot. */
  endStream(stream: ClientStream): void {
    this.#sender.drop(stream);
    if (stream.at !== 'BEGUN') this.#answers.remove(stream);
    this.#opener.end(stream);
  }

  /**
   * Removes the streams of which no byte was sealed here, and keeps `lost`, and with `mayKeep` the events among those
   * streams that were sealed on a lost connection. The caller must fail the other ones, which are returned.
   */
  #takeUnopened(mayKeep: boolean, lost: readonly ClientStream[] = []): readonly ClientStream[] {
    const unopened = this.#opener.stopOpening();
    // First, because an event that ends may let a new one begin on another connection.
    this.#keep([...lost, ...unopened.filter(({ wasSealed }) => mayKeep && wasSealed)]);
    return unopened.filter(({ holder }) => holder === this);
  }

  /** Gives events to the sequence, which keeps them for another connection. */
  #keep(streams: readonly ClientStream[]): void {
    for (const stream of streams) {
      this.#sender.drop(stream);
      if (stream.at === 'SEALED') this.#answers.remove(stream);
      this.#opener.release(stream);
    }
    this.#options.sequence.keep(streams);
    this.#reportKept();
  }

  #reportKept(): void {
    if (this.#options.sequence.needsConnection) this.#options.onKept?.();
  }
}
