import type { TransportError } from '../errors.js';
import { MAX_STREAM_ID } from '../frame/frame.js';
import { Fifo } from '../sending/fifo.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { FrameSender } from '../sending/sender.js';
import { ClientStream } from './client-stream.js';
import type { AnswerSink, StreamHolder } from './client-stream.js';
import type { EventSequence } from './events/event-sequence.js';
import { OpeningQueue } from './opening-queue.js';
import { refusal, tooLarge } from './stream-failure.js';
import { StreamSlots } from './stream-slots.js';

export interface StreamOpenerOptions {
  /** Announced by the server. */
  readonly peer: { readonly maxInFlight: number; readonly maxMessageBytes: number };
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  /** The sequence of the events at this server, on all connections. */
  readonly sequence: EventSequence;
}

/** The streams of the connection. */
export interface OpenerOwner extends StreamHolder {
  /** Drops what a stream has queued, and calls {@link StreamOpener.end}. */
  endStream(stream: ClientStream): void;
  /** Called when events begin that had to wait for others, for example of another connection. */
  onLateBegin(): void;
}

/**
 * Opens the streams of a client (docs/protocol.md §6.5). They wait for a slot, then until their first frame is sealed.
 */
export class StreamOpener {
  readonly #options: StreamOpenerOptions;
  readonly #sender: FrameSender<ClientStream>;
  readonly #owner: OpenerOwner;
  readonly #queue = new OpeningQueue<ClientStream>();
  readonly #slots: StreamSlots;
  /** Streams that are about to fail, and perhaps to open on another connection. */
  readonly #leaving = new Fifo<ClientStream>();
  #mayTake = true;
  #mayOpen = true;
  #takesKept = false;

  constructor(options: StreamOpenerOptions, sender: FrameSender<ClientStream>, owner: OpenerOwner) {
    this.#options = options;
    this.#sender = sender;
    this.#owner = owner;
    this.#slots = new StreamSlots(options.peer.maxInFlight);
    options.sequence.announce(options.peer.maxInFlight, options.maxQueuedBytes);
    options.sequence.join(this.#beginWaiting, () => Math.min(this.#queue.firstEvent, this.#firstLeaving));
  }

  /** The number of streams that hold a slot of the server. */
  get begunCount(): number {
    return this.#slots.taken;
  }

  /** The number of streams that wait for a slot. */
  get queuedCount(): number {
    return this.#queue.size;
  }

  get hasFreeSlot(): boolean {
    return this.#slots.hasFree;
  }

  get hasUnopened(): boolean {
    return this.#queue.size > 0 || this.#slots.unsealed > 0;
  }

  /** @throws {TransportError} As {@link ClientStreams.open}. */
  add(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink): ClientStream {
    this.#check(message);
    const stream = new ClientStream(kind, message, sink, this.#owner);
    if (this.#queue.size === 0 && this.#hasSlot && this.#mayBegin(stream)) {
      this.#begin(stream); // no stream waits before it
    } else {
      this.#queue.push(stream);
      this.beginEligible();
    }
    return stream;
  }

  /** Notes that the first frame of the stream was sealed. */
  noteSealed(stream: ClientStream): void {
    stream.at = 'SEALED';
    this.#slots.seal(stream.message);
  }

  /** Ends the stream and gives its slot to the next one. */
  end(stream: ClientStream): void {
    switch (stream.at) {
      case 'QUEUED':
        this.#queue.remove(stream);
        stream.at = 'ENDED';
        this.#options.sequence.noteFirstChanged();
        return;
      case 'BEGUN':
        this.#slots.freeUnsealed(stream.message);
        break;
      case 'SEALED':
      case 'CANCELLED':
        this.#slots.freeSealed();
        break;
      case 'KEPT':
      case 'ENDED':
        return;
    }
    stream.at = 'ENDED';
    if (stream.sequence !== undefined) this.#options.sequence.settle(stream.sequence);
    this.beginEligible();
  }

  /** Frees the slot of an event that the sequence is about to keep. */
  release({ at, message }: ClientStream): void {
    if (at === 'BEGUN') this.#slots.freeUnsealed(message);
    else this.#slots.freeSealed();
  }

  /** Begins all streams that no longer need to wait: first the events of a lost connection. */
  beginEligible(): void {
    while ((this.#queue.size > 0 || this.#hasKept) && this.#hasSlot) {
      const stream = this.#nextKept() ?? this.#queue.takeNext((waiting) => this.#mayBegin(waiting));
      if (stream === undefined) return;
      this.#begin(stream);
    }
  }

  /** Sends events of a lost connection to the same server again here, from now on. May be called again. */
  takeKept(): void {
    if (!this.#mayTake || this.#takesKept) return;
    this.#takesKept = true;
    this.#options.sequence.addTaker(this.#beginWaiting);
    this.#beginWaiting();
  }

  /** Takes events as {@link ClientStreams.takeEventsOf} does. */
  takeEventsOf(other: StreamOpener): void {
    for (const stream of other.#queue.drainEvents()) {
      const taker = stream.message.bytes <= this.#options.peer.maxMessageBytes ? this : other;
      stream.holder = taker.#owner;
      taker.#queue.push(stream);
    }
    this.beginEligible();
    other.#options.sequence.noteFirstChanged();
  }

  stopTaking(): void {
    this.#mayTake = this.#takesKept = false;
    this.#options.sequence.removeTaker(this.#beginWaiting);
  }

  /** @returns All streams of which no byte was sealed here, in their order. The caller must {@link fail} or release them. */
  stopOpening(): readonly ClientStream[] {
    this.stopTaking();
    this.#mayOpen = false;
    const queued = this.#queue.drain();
    for (const stream of queued) stream.at = 'ENDED';
    return [...queued, ...this.#sender.unopened()].sort((a, b) => a.order - b.order);
  }

  /** Fails streams, of which each may open on another connection: later events begin there after all of them. */
  fail(streams: readonly ClientStream[], failureOf: (stream: ClientStream) => TransportError): void {
    for (const stream of streams) this.#leaving.push(stream);
    // Only now, because the end of an event may let a later one begin on another connection.
    for (const stream of streams) if (stream.at !== 'ENDED') this.#owner.endStream(stream);
    for (let stream = this.#leaving.shift(); stream !== undefined; stream = this.#leaving.shift())
      stream.sink.fail(failureOf(stream));
    this.#options.sequence.noteFirstChanged();
  }

  /** Ends the wait of events when the connection has ended. */
  stopWaiting(): void {
    this.#options.sequence.stopWaiting(this.#beginWaiting);
  }

  /** Called at the end of the connection, after all streams. */
  leave(): void {
    this.#options.sequence.leave(this.#beginWaiting);
  }

  readonly #beginWaiting = (): void => {
    this.beginEligible();
    this.#owner.onLateBegin();
  };

  #check({ bytes, hasPlace }: OutgoingMessage): void {
    const { peer, maxQueuedBytes, maxQueuedMessages, sequence } = this.#options;
    if (!this.#mayTake) throw refusal('ERR_CONNECTION_DRAINING', 'The connection is draining: use another one');
    if (this.#sender.nextId > MAX_STREAM_ID)
      throw refusal('ERR_STREAMS_EXHAUSTED', 'The connection has no stream ids left');
    if (bytes > peer.maxMessageBytes) throw tooLarge(bytes, peer.maxMessageBytes);
    if (hasPlace) return;
    const count = this.#queue.size + sequence.keptCount;
    const waiting = this.#queue.bytes + this.#sender.queuedBytes + sequence.keptBytes;
    if (count >= maxQueuedMessages || (waiting > 0 && waiting + bytes > maxQueuedBytes)) {
      throw refusal(
        'ERR_QUEUE_FULL',
        `The queue is full: it already contains ${count} messages with ${waiting} bytes (limits.maxQueuedMessages, limits.maxQueuedBytes)`,
      );
    }
  }

  get #firstLeaving(): number {
    return this.#leaving.peek()?.order ?? Infinity;
  }

  /** Whether there are events that are to be sent again on this connection. */
  get #hasKept(): boolean {
    return this.#takesKept && this.#options.sequence.keptCount > 0;
  }

  get #hasSlot(): boolean {
    const hasId = this.#sender.nextId + this.#slots.unsealed <= MAX_STREAM_ID;
    return this.#mayOpen && hasId && this.#slots.hasFree;
  }

  /** Returns the oldest event that is to be sent again, if it may begin. */
  #nextKept(): ClientStream | undefined {
    const { peer, sequence } = this.#options;
    while (this.#hasKept) {
      const stream = sequence.firstKept();
      if (stream === undefined) return undefined;
      const { bytes } = stream.message;
      if (bytes <= peer.maxMessageBytes) return this.#mayBegin(stream) ? stream : undefined;
      sequence.refuse(stream, tooLarge(bytes, peer.maxMessageBytes));
    }
    return undefined;
  }

  #mayBegin(stream: ClientStream): boolean {
    if (!this.#sender.hasRoomFor(stream.message) || !this.#slots.mayTake(stream.message)) return false;
    return stream.kind === 'REQUEST' || this.#options.sequence.mayBegin(stream, this.#beginWaiting);
  }

  #begin(stream: ClientStream): void {
    const { sequence } = this.#options;
    if (stream.kind === 'EVENT') {
      stream.sequence = sequence.begin(stream, this.#beginWaiting);
      stream.message.prefix = stream.sequence;
    }
    const wasKept = stream.at === 'KEPT';
    stream.at = 'BEGUN';
    stream.holder = this.#owner;
    this.#slots.take(stream.message);
    this.#sender.sendMessage(stream, stream.kind, stream.message);
    if (wasKept) sequence.take(stream);
  }
}
