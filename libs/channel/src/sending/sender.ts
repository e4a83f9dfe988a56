// Turns messages into frames (docs/protocol.md §6.4): the streams take turns, the messages of one stream keep their
// order, and the limits of the peer for incomplete messages are kept.
import { FIRST, LAST, MAX_STREAM_ID, MORE, writeFrameHeader } from '../frame/frame.js';
import type { FrameKind, MessageKind } from '../frame/frame.js';
import { Fifo } from './fifo.js';
import { IncompleteRoom } from './incomplete-room.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { Sending } from './sending.js';
import type { Outgoing, SendingStream } from './sending-stream.js';
import { Turns } from './turns.js';

export type SignalKind = 'COMPLETE' | 'CANCEL' | 'ACK';

/** The last written frame. */
export interface WrittenFrame<Stream> {
  stream: Stream;
  kind: FrameKind;
  more: boolean;
  last: boolean;
  /** Whether it is the first frame of the stream, with which the stream got its id. */
  opens: boolean;
}

/** Leaves room to move to another connection before the ids run out. */
const SPARE_IDS = 65_536;

/** Queues the messages of all streams and writes them as frames. */
export class FrameSender<Stream extends SendingStream> implements Sending {
  readonly #room: IncompleteRoom;
  readonly #turns = new Turns<Stream>();
  /** Streams in FIFO order whose next message has several frames and has to wait for room. */
  readonly #waitingForRoom = new Fifo<Stream>();
  #queuedBytes = 0;
  #nextId: number;
  #written: WrittenFrame<Stream> | undefined;

  /** @param maxIncompleteBytes - Announced by the peer. @param firstId - The id of the next opened stream. */
  constructor(maxIncompleteBytes: number, firstId = 1) {
    this.#room = new IncompleteRoom(maxIncompleteBytes);
    this.#nextId = firstId;
  }

  /** Bytes that wait to be sealed. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get readyBytes(): number {
    return this.#turns.isBulkHeld ? this.#turns.smallBytes : this.#queuedBytes;
  }

  get readyCount(): number {
    return this.#turns.readyCount;
  }

  get hasBulk(): boolean {
    return this.#turns.bulkCount > 0;
  }

  get bulkIsPassed(): boolean {
    return this.#turns.bulkIsPassed;
  }

  /** The id of the next opened stream. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Whether the stream ids run out. */
  get isNearlyExhausted(): boolean {
    return this.#nextId > MAX_STREAM_ID - SPARE_IDS;
  }

  /** Returns whether the limits of the peer for incomplete messages let a message start. */
  hasRoomFor(message: OutgoingMessage): boolean {
    return this.#room.fits(message);
  }

  holdBulk(isHeld: boolean): void {
    this.#turns.holdBulk(isHeld);
  }

  beginRecord(): void {
    this.#turns.beginRecord();
  }

  /** Drops the reference to the last written frame, and so to its stream and message. */
  forgetWritten(): void {
    this.#written = undefined;
  }

  sendMessage(stream: Stream, kind: MessageKind, message: OutgoingMessage, last = false): void {
    this.#queuedBytes += message.bytes;
    stream.queuedBytes += message.bytes;
    this.#enqueue(stream, { kind, message, last });
  }

  sendSignal(stream: Stream, kind: SignalKind): void {
    this.#enqueue(stream, { kind, message: undefined, last: false });
  }

  /** Marks the last waiting value as the end of the answer; returns false if no value waits. */
  markLast(stream: Stream): boolean {
    const outgoing = stream.later.peekLast() ?? stream.outgoing;
    if (outgoing?.kind !== 'NEXT') return false;
    outgoing.last = true;
    return true;
  }

  /** Drops everything that the stream has not sent yet, including the rest of a started message. */
  drop(stream: Stream): void {
    this.#forget(stream);
    this.#releaseRoom(stream);
  }

  /**
   * Drops everything that the stream has not sent yet, and ends it with an error of one frame. The peer keeps a started
   * message until it reads that frame, so the room of the message stays taken until the frame is written.
   */
  replace(stream: Stream, error: OutgoingMessage): void {
    this.#forget(stream);
    this.sendMessage(stream, 'ERROR', error);
  }

  /** Replaces the message of a stream as {@link replace} does, but with CANCEL, for a client. */
  cancel(stream: Stream): void {
    this.#forget(stream);
    this.sendSignal(stream, 'CANCEL');
  }

  /** Returns the streams that wait to send their first frame. */
  unopened(): Stream[] {
    return [...this.#turns.values(), ...this.#waitingForRoom.values()].filter(({ id }) => id === 0);
  }

  /**
   * Writes the next frame to `target`, which has `roomBytes` from `at` on, and describes it in {@link written}.
   *
   * @returns The bytes written; 0 if nothing is ready, or if the next frame does not fit.
   */
  writeNext(target: Buffer, at: number, roomBytes: number): number {
    const stream = this.#turns.next(roomBytes);
    const outgoing = stream?.outgoing;
    if (stream === undefined || outgoing === undefined) return 0;
    const { kind, message, last } = outgoing;
    const { offset } = stream;
    const total = message?.bytes ?? 0;
    const end = this.#turns.pieceEnd(stream, roomBytes);
    const opens = stream.id === 0;
    const id = opens ? this.#nextId : stream.id;
    const more = end < total;
    const flags = more ? (offset === 0 ? FIRST | MORE : MORE) : last ? LAST : 0;
    const pieceAt = writeFrameHeader(target, at, kind, flags, id, end - offset, total);
    if (message?.isWhole === true) message.write(target, pieceAt);
    else message?.writePiece(target, pieceAt, offset, end);
    // Only now: a stream whose message cannot be written counts as unopened, and fails with the connection.
    stream.id = id;
    if (opens) this.#nextId += 1;
    this.#note(stream, kind, more, last && !more, opens);
    this.#advance(stream, end, more);
    return pieceAt + end - offset - at;
  }

  /** The frame that {@link writeNext} has written; the next call overwrites it. */
  get written(): Readonly<WrittenFrame<Stream>> | undefined {
    return this.#written;
  }

  #note(stream: Stream, kind: FrameKind, more: boolean, last: boolean, opens: boolean): void {
    const written = (this.#written ??= { stream, kind, more, last, opens });
    written.stream = stream;
    written.kind = kind;
    written.more = more;
    written.last = last;
    written.opens = opens;
  }

  /** Updates the stream after a frame, and queues it again if it has more to send. */
  #advance(stream: Stream, end: number, more: boolean): void {
    this.#queuedBytes -= end - stream.offset;
    stream.queuedBytes -= end - stream.offset;
    this.#turns.take(stream);
    stream.isScheduled = false;
    stream.offset = more ? end : 0;
    if (!more) {
      stream.outgoing = stream.later.shift();
      this.#releaseRoom(stream);
    }
    this.#schedule(stream);
  }

  #enqueue(stream: Stream, outgoing: Outgoing): void {
    if (stream.outgoing === undefined) stream.outgoing = outgoing;
    else stream.later.push(outgoing);
    this.#schedule(stream);
  }

  #schedule(stream: Stream): void {
    const { outgoing } = stream;
    if (outgoing === undefined || stream.isScheduled) return;
    stream.isScheduled = true;
    const { message } = outgoing;
    if (message === undefined || message.isWhole || stream.roomBytes > 0) this.#turns.add(stream);
    else if (this.#waitingForRoom.size > 0 || !this.hasRoomFor(message)) this.#waitingForRoom.push(stream);
    else this.#begin(stream, message.bytes);
  }

  #forget(stream: Stream): void {
    if (stream.isScheduled && !this.#turns.remove(stream)) this.#waitingForRoom.remove(stream);
    stream.isScheduled = false;
    stream.outgoing = undefined;
    stream.later.drain();
    this.#queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.offset = 0;
  }

  #begin(stream: Stream, bytes: number): void {
    stream.roomBytes = bytes;
    this.#room.take(bytes);
    this.#turns.add(stream);
  }

  #releaseRoom(stream: Stream): void {
    if (stream.roomBytes === 0) return;
    this.#room.giveBack(stream.roomBytes);
    stream.roomBytes = 0;
    for (;;) {
      const next = this.#waitingForRoom.peek();
      const message = next?.outgoing?.message;
      if (next === undefined || message === undefined || !this.hasRoomFor(message)) return;
      this.#waitingForRoom.shift();
      this.#begin(next, message.bytes);
    }
  }
}
