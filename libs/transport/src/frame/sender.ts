// How messages become frames (docs/protocol.md §6.4): fragments of different streams interleave, round robin, so that
// a small message never waits for a large one; the messages of one stream go one after the other.
import { Fifo } from './fifo.js';
import { FIRST, FRAME_HEADER_BYTES, LAST, MAX_WHOLE_BYTES, MORE, TOTAL_BYTES, writeFrameHeader } from './frame.js';
import type { FrameKind, MessageKind } from './frame.js';
import type { OutgoingMessage } from './outgoing-message.js';

export type SignalKind = 'COMPLETE' | 'CANCEL' | 'ACK';

/** What a stream still has to send: a message, or a signal, which has none. */
interface Outgoing {
  readonly kind: FrameKind;
  readonly message: OutgoingMessage | undefined;
  last: boolean;
}

/** Messages of several frames that may be under way at once: each has to go on within 10 s (R6.32). */
const MAX_INCOMPLETE_MESSAGES = 16;
/** A record with less room than that is closed, unless the piece that is left fits. */
const MIN_PIECE_BYTES = 4_096;

/** The sending half of one stream. Only the {@link FrameSender} looks inside. */
export class SendingStream {
  /** 0 until its first frame is written, where this side gives the ids. */
  id: number;
  /** What is under way or next. */
  outgoing: Outgoing | undefined;
  /** What comes behind it; most streams send one message. */
  readonly later = new Fifo<Outgoing>();
  /** Bytes of all of these that have not been sent. */
  queuedBytes = 0;
  /** How much of the message has been sent. */
  offset = 0;
  /** Whether the message counts among the peer's incomplete ones. */
  holdsRoom = false;
  isScheduled = false;

  constructor(id: number) {
    this.id = id;
  }

  /** Messages that wait, the one under way included. */
  get queuedCount(): number {
    return this.outgoing === undefined ? 0 : 1 + this.later.size;
  }
}

/** The frame that was written last. */
export interface WrittenFrame<Stream> {
  stream: Stream;
  kind: FrameKind;
  more: boolean;
  last: boolean;
  /** Whether it is the first frame of the stream: the stream got its id for it. */
  opens: boolean;
}

/** Takes the messages of all streams and writes them as frames, one at a time. */
export class FrameSender<Stream extends SendingStream> {
  readonly #maxIncompleteBytes: number;
  readonly #ready = new Fifo<Stream>();
  /** Streams whose next message has several frames and may not begin yet: first come, first served. */
  readonly #waitingForRoom = new Fifo<Stream>();
  #incompleteBytes = 0;
  #incompleteMessages = 0;
  #queuedBytes = 0;
  #nextId: number;
  #written: WrittenFrame<Stream> | undefined;

  /** @param maxIncompleteBytes - What the peer announced. @param firstId - Of the streams that have none. */
  constructor(maxIncompleteBytes: number, firstId = 1) {
    this.#maxIncompleteBytes = maxIncompleteBytes;
    this.#nextId = firstId;
  }

  /** Bytes that wait to be sealed. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** How many streams have a frame to send at once. */
  get readyCount(): number {
    return this.#ready.size;
  }

  /** The id of the stream that is opened next. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Whether a message may begin: it has one frame, it fits beside the others, or it is the only one of several frames. */
  hasRoomFor(bytes: number): boolean {
    if (bytes <= MAX_WHOLE_BYTES || this.#incompleteMessages === 0) return true;
    const fits = this.#incompleteBytes + bytes <= this.#maxIncompleteBytes;
    return fits && this.#incompleteMessages < MAX_INCOMPLETE_MESSAGES;
  }

  sendMessage(stream: Stream, kind: MessageKind, message: OutgoingMessage, last = false): void {
    this.#queuedBytes += message.bytes;
    stream.queuedBytes += message.bytes;
    this.#enqueue(stream, { kind, message, last });
  }

  sendSignal(stream: Stream, kind: SignalKind): void {
    this.#enqueue(stream, { kind, message: undefined, last: false });
  }

  /** Makes the last value that waits the end of the answer; false when none waits any more. */
  markLast(stream: Stream): boolean {
    const outgoing = stream.later.peekLast() ?? stream.outgoing;
    if (outgoing?.kind !== 'NEXT') return false;
    outgoing.last = true;
    return true;
  }

  /** Forgets what the stream has not sent yet, also the rest of a message under way. */
  drop(stream: Stream): void {
    const bytes = this.#forget(stream);
    this.#releaseRoom(stream, bytes);
  }

  /**
   * Forgets what the stream has not sent yet and ends it with an error of one frame. The peer holds what it has of a
   * message under way until it reads that frame: nothing that takes the room goes ahead of it.
   */
  replace(stream: Stream, error: OutgoingMessage): void {
    const bytes = this.#forget(stream);
    this.sendMessage(stream, 'ERROR', error);
    this.#releaseRoom(stream, bytes);
  }

  /** The streams that wait to send their first frame. */
  unopened(): Stream[] {
    return [...this.#ready.values(), ...this.#waitingForRoom.values()].filter(({ id }) => id === 0);
  }

  /**
   * Writes the next frame to `target`, which has `roomBytes` from `at` on, and describes it in {@link written}.
   *
   * @returns Its bytes; 0 if nothing is ready, or if the next frame does not fit.
   */
  writeNext(target: Buffer, at: number, roomBytes: number): number {
    const stream = this.#ready.peek();
    const outgoing = stream?.outgoing;
    if (stream === undefined || outgoing === undefined) return 0;
    const { kind, message, last } = outgoing;
    const { offset } = stream;
    const total = message?.bytes ?? 0;
    const end = pieceEnd(offset, total, roomBytes);
    if (end < 0) return 0;
    const opens = stream.id === 0;
    if (opens) stream.id = this.#nextId++;
    const more = end < total;
    const flags = more ? (offset === 0 ? FIRST | MORE : MORE) : last ? LAST : 0;
    const pieceAt = writeFrameHeader(target, at, kind, flags, stream.id, end - offset, total);
    if (total <= MAX_WHOLE_BYTES) message?.write(target, pieceAt);
    else message?.writePiece(target, pieceAt, offset, end);
    this.#note(stream, kind, more, last && !more, opens);
    this.#advance(stream, end, more);
    return pieceAt + end - offset - at;
  }

  /** What {@link writeNext} has written; the next call overwrites it. */
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

  /** Behind the others, if anything is left to send. */
  #advance(stream: Stream, end: number, more: boolean): void {
    this.#queuedBytes -= end - stream.offset;
    stream.queuedBytes -= end - stream.offset;
    this.#ready.shift();
    stream.isScheduled = false;
    stream.offset = more ? end : 0;
    if (!more) {
      stream.outgoing = stream.later.shift();
      this.#releaseRoom(stream, end);
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
    const bytes = outgoing.message?.bytes ?? 0;
    if (bytes <= MAX_WHOLE_BYTES || stream.holdsRoom) {
      this.#ready.push(stream);
      return;
    }
    if (this.#waitingForRoom.size > 0 || !this.hasRoomFor(bytes)) {
      this.#waitingForRoom.push(stream);
      return;
    }
    this.#begin(stream, bytes);
  }

  /** @returns The size of the message that was next or under way. */
  #forget(stream: Stream): number {
    const { outgoing } = stream;
    if (outgoing === undefined) return 0;
    stream.outgoing = undefined;
    stream.later.drain();
    this.#queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.offset = 0;
    if (stream.isScheduled && !this.#ready.remove(stream)) this.#waitingForRoom.remove(stream);
    stream.isScheduled = false;
    return outgoing.message?.bytes ?? 0;
  }

  #begin(stream: Stream, bytes: number): void {
    stream.holdsRoom = true;
    this.#incompleteBytes += bytes;
    this.#incompleteMessages += 1;
    this.#ready.push(stream);
  }

  #releaseRoom(stream: Stream, bytes: number): void {
    if (!stream.holdsRoom) return;
    stream.holdsRoom = false;
    this.#incompleteBytes -= bytes;
    this.#incompleteMessages -= 1;
    for (;;) {
      const next = this.#waitingForRoom.peek();
      const wanted = next?.outgoing?.message?.bytes;
      if (next === undefined || wanted === undefined || !this.hasRoomFor(wanted)) return;
      this.#waitingForRoom.shift();
      this.#begin(next, wanted);
    }
  }
}

/** How far the next frame takes a message of `total` bytes, of which `offset` have gone; -1 if it does not fit. */
function pieceEnd(offset: number, total: number, roomBytes: number): number {
  const room = roomBytes - FRAME_HEADER_BYTES;
  if (total <= MAX_WHOLE_BYTES) return total <= room ? total : -1;
  const left = total - offset;
  const pieceRoom = offset === 0 ? room - TOTAL_BYTES : room;
  return pieceRoom < Math.min(left, MIN_PIECE_BYTES) ? -1 : offset + Math.min(left, pieceRoom);
}
