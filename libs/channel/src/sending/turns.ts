// Selects the stream of the next frame (docs/protocol.md §5.10, §6.4): small messages and signals precede bulk, bulk
// gets at least one record in eight, and the fragments of different streams take turns.
import { FRAME_HEADER_BYTES, MAX_WHOLE_BYTES, TOTAL_BYTES } from '../frame/frame.js';
import { Fifo } from './fifo.js';
import type { SendingStream } from './sending-stream.js';

/** The bytes of frames in a full record. */
const RECORD_BYTES = FRAME_HEADER_BYTES + MAX_WHOLE_BYTES;
/** One record of this many starts with bulk if bulk may be sent. The others may start with small messages. */
const RECORDS_IN_SHARE = 8;
/** A record with less room than this gets no fragment, except the last one of a message. */
const MIN_PIECE_BYTES = 4_096;
/**
 * Within this many bytes each started message gets a fragment, so that it makes progress in time on a slow path. While
 * small messages take seven records of eight, one record has to be enough for that.
 */
const ROUND_BYTES = 4 * RECORD_BYTES;

export class Turns<Stream extends SendingStream> {
  /** Messages that are not bulk, and signals. */
  readonly #small = new Fifo<Stream>();
  /** Bulk of one frame. */
  readonly #whole = new Fifo<Stream>();
  /** Bulk of several frames. */
  readonly #begun = new Fifo<Stream>();
  #smallBytes = 0;
  #isBulkHeld = false;
  #wholeIsNext = false;
  /** The number of consecutive records that started with small messages although bulk could be sent. */
  #ledBySmall = 0;
  #bulkLeads = false;
  #bulkIsPassed = false;

  /** The number of streams with a frame that can be sent now. */
  get readyCount(): number {
    return this.#small.size + (this.#isBulkHeld ? 0 : this.bulkCount);
  }

  get bulkCount(): number {
    return this.#whole.size + this.#begun.size;
  }

  /** The unsent bytes of messages that are not bulk. */
  get smallBytes(): number {
    return this.#smallBytes;
  }

  get isBulkHeld(): boolean {
    return this.#isBulkHeld;
  }

  /** Whether small messages have overtaken bulk in the current record. */
  get bulkIsPassed(): boolean {
    return this.#bulkIsPassed;
  }

  /** Makes bulk wait for credit, or continue. */
  holdBulk(isHeld: boolean): void {
    this.#isBulkHeld = isHeld;
  }

  /** Starts a record, and decides whether bulk comes first in it. */
  beginRecord(): void {
    const passes = this.#small.size > 0 && this.bulkCount > 0;
    if (!passes) this.#ledBySmall = 0;
    else if (!this.#isBulkHeld) this.#ledBySmall = (this.#ledBySmall + 1) % RECORDS_IN_SHARE;
    this.#bulkLeads = passes && !this.#isBulkHeld && this.#ledBySmall === 0;
    this.#bulkIsPassed = passes && !this.#bulkLeads;
  }

  add(stream: Stream): void {
    this.#lineOf(stream).push(stream);
    this.#countSmall(stream, 1);
  }

  remove(stream: Stream): boolean {
    const isRemoved = this.#lineOf(stream).remove(stream);
    if (isRemoved) this.#countSmall(stream, -1);
    return isRemoved;
  }

  /** Returns the stream of the next frame, if the frame or a fragment fits into `roomBytes`. */
  next(roomBytes: number): Stream | undefined {
    const bulk = this.#bulkLeads || this.#small.size === 0 ? this.#nextBulk(roomBytes) : undefined;
    return bulk ?? fitting(this.#small.peek(), roomBytes);
  }

  /** Removes the stream that {@link next} has returned. */
  take(stream: Stream): void {
    const line = this.#lineOf(stream);
    line.shift();
    this.#countSmall(stream, -1);
    if (line !== this.#small) this.#wholeIsNext = line === this.#begun;
  }

  /** Returns the offset in the message of `stream` at which its next frame ends. */
  pieceEnd({ outgoing, offset }: Stream, roomBytes: number): number {
    const { message } = outgoing ?? {};
    if (message === undefined || message.isWhole) return message?.bytes ?? 0;
    const roundBytes = this.#bulkLeads ? RECORD_BYTES : ROUND_BYTES;
    const turnBytes = Math.max(MIN_PIECE_BYTES, Math.floor(roundBytes / this.#begun.size) - FRAME_HEADER_BYTES);
    return offset + Math.min(message.bytes - offset, pieceRoom(offset, roomBytes), turnBytes);
  }

  /** Yields all waiting streams. */
  *values(): Generator<Stream, void> {
    for (const line of [this.#small, this.#whole, this.#begun]) yield* line.values();
  }

  #nextBulk(roomBytes: number): Stream | undefined {
    if (this.#isBulkHeld) return undefined;
    const whole = fitting(this.#whole.peek(), roomBytes);
    const begun = fitting(this.#begun.peek(), roomBytes);
    return this.#wholeIsNext ? (whole ?? begun) : (begun ?? whole);
  }

  #lineOf({ outgoing }: Stream): Fifo<Stream> {
    const message = outgoing?.message;
    if (message === undefined || !message.isBulk) return this.#small;
    return message.isWhole ? this.#whole : this.#begun;
  }

  #countSmall({ outgoing }: Stream, sign: 1 | -1): void {
    const message = outgoing?.message;
    if (message !== undefined && !message.isBulk) this.#smallBytes += sign * message.bytes;
  }
}

function fitting<Stream extends SendingStream>(stream: Stream | undefined, roomBytes: number): Stream | undefined {
  if (stream === undefined) return undefined;
  const { outgoing, offset } = stream;
  const message = outgoing?.message;
  const isWhole = message === undefined || message.isWhole;
  const wantedBytes = isWhole ? (message?.bytes ?? 0) : Math.min(message.bytes - offset, MIN_PIECE_BYTES);
  const room = isWhole ? roomBytes - FRAME_HEADER_BYTES : pieceRoom(offset, roomBytes);
  return wantedBytes <= room ? stream : undefined;
}

function pieceRoom(offset: number, roomBytes: number): number {
  return roomBytes - FRAME_HEADER_BYTES - (offset === 0 ? TOTAL_BYTES : 0);
}
