// How messages become frames (docs/protocol.md §6.4): fragments of different streams interleave, round robin, so that
// a small message never waits for a large one; the messages of one stream go one after the other.
import { Fifo } from './fifo.js';
import { FRAME_HEADER_BYTES, MAX_FRAGMENT_BYTES } from './frame.js';
import type { Frame, MessageKind } from './frame.js';

export type SignalKind = 'COMPLETE' | 'CANCEL' | 'ACK';

/** What a stream still has to send. */
interface Outgoing {
  readonly kind: MessageKind | SignalKind;
  readonly payload: Buffer;
  last: boolean;
}

const EMPTY = Buffer.alloc(0);

/** The sending half of one stream. Only the {@link FrameSender} looks inside. */
export class SendingStream {
  readonly id: number;
  /** The message under way or next. */
  message: Outgoing | undefined;
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
    return this.message === undefined ? 0 : 1 + this.later.size;
  }
}

/** Takes the messages of all streams and gives them back as frames, one at a time. */
export class FrameSender {
  readonly #maxIncompleteBytes: number;
  readonly #ready = new Fifo<SendingStream>();
  /** Streams whose next message has several frames and does not fit what the peer takes incomplete: first come, first served. */
  readonly #waitingForRoom = new Fifo<SendingStream>();
  #incompleteBytes = 0;
  #queuedBytes = 0;

  /** @param maxIncompleteBytes - What the peer announced. */
  constructor(maxIncompleteBytes: number) {
    this.#maxIncompleteBytes = maxIncompleteBytes;
  }

  /** Bytes that wait to be sealed. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** How many streams have a frame to send at once. */
  get readyCount(): number {
    return this.#ready.size;
  }

  /** Whether a message of several frames may begin: it fits, or it is the only one. */
  hasRoomFor(bytes: number): boolean {
    return this.#incompleteBytes === 0 || this.#incompleteBytes + bytes <= this.#maxIncompleteBytes;
  }

  sendMessage(stream: SendingStream, kind: MessageKind, payload: Buffer, last = false): void {
    this.#enqueue(stream, { kind, payload, last });
  }

  sendSignal(stream: SendingStream, kind: SignalKind): void {
    this.#enqueue(stream, { kind, payload: EMPTY, last: false });
  }

  /** Makes the last value that waits the end of the answer; false when none waits any more. */
  markLast(stream: SendingStream): boolean {
    const message = stream.later.peekLast() ?? stream.message;
    if (message?.kind !== 'NEXT') return false;
    message.last = true;
    return true;
  }

  /** Forgets what the stream has not sent yet, also the rest of a message under way. */
  drop(stream: SendingStream): void {
    const bytes = this.#forget(stream);
    this.#releaseRoom(stream, bytes);
  }

  /**
   * Forgets what the stream has not sent yet and ends it with an error of one frame. The peer holds what it has of a
   * message under way until it reads that frame: nothing that takes the room goes ahead of it.
   */
  replace(stream: SendingStream, error: Buffer): void {
    const bytes = this.#forget(stream);
    this.sendMessage(stream, 'ERROR', error);
    this.#releaseRoom(stream, bytes);
  }

  /** The next frame, a view of its message; none when nothing is ready or the next one exceeds `roomBytes`. */
  next(roomBytes: number): Frame | undefined {
    const stream = this.#ready.peek();
    const message = stream?.message;
    if (stream === undefined || message === undefined) return undefined;
    const { kind, payload, last } = message;
    const { offset } = stream;
    const end = Math.min(offset + MAX_FRAGMENT_BYTES, payload.length);
    if (FRAME_HEADER_BYTES + end - offset > roomBytes) return undefined;
    const more = end < payload.length;
    this.#advance(stream, end, more);
    const fragment = more || offset > 0 ? payload.subarray(offset, end) : payload;
    return { kind, more, last: last && !more, stream: stream.id, payload: fragment };
  }

  /** Behind the others, if anything is left to send. */
  #advance(stream: SendingStream, end: number, more: boolean): void {
    this.#queuedBytes -= end - stream.offset;
    stream.queuedBytes -= end - stream.offset;
    this.#ready.shift();
    stream.isScheduled = false;
    stream.offset = more ? end : 0;
    if (!more) {
      stream.message = stream.later.shift();
      this.#releaseRoom(stream, end);
    }
    this.#schedule(stream);
  }

  #enqueue(stream: SendingStream, message: Outgoing): void {
    if (stream.message === undefined) stream.message = message;
    else stream.later.push(message);
    this.#queuedBytes += message.payload.length;
    stream.queuedBytes += message.payload.length;
    this.#schedule(stream);
  }

  #schedule(stream: SendingStream): void {
    const { message } = stream;
    if (message === undefined || stream.isScheduled) return;
    stream.isScheduled = true;
    const bytes = message.payload.length;
    if (bytes <= MAX_FRAGMENT_BYTES || stream.holdsRoom) {
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
  #forget(stream: SendingStream): number {
    const { message } = stream;
    if (message === undefined) return 0;
    stream.message = undefined;
    stream.later.drain();
    this.#queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.offset = 0;
    if (stream.isScheduled && !this.#ready.remove(stream)) this.#waitingForRoom.remove(stream);
    stream.isScheduled = false;
    return message.payload.length;
  }

  #begin(stream: SendingStream, bytes: number): void {
    stream.holdsRoom = true;
    this.#incompleteBytes += bytes;
    this.#ready.push(stream);
  }

  #releaseRoom(stream: SendingStream, bytes: number): void {
    if (!stream.holdsRoom) return;
    stream.holdsRoom = false;
    this.#incompleteBytes -= bytes;
    for (;;) {
      const next = this.#waitingForRoom.peek();
      const wanted = next?.message?.payload.length;
      if (next === undefined || wanted === undefined || !this.hasRoomFor(wanted)) return;
      this.#waitingForRoom.shift();
      this.#begin(next, wanted);
    }
  }
}
