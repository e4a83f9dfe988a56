import { MAX_STREAM_ID } from '../frame/frame.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { FrameSender } from '../sending/sender.js';
import { ClientStream } from './client-stream.js';
import type { AnswerSink } from './client-stream.js';
import type { EventSequence } from './event-sequence.js';
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

/**
 * Opens the streams of a client (docs/protocol.md §6.5). They wait for a slot, then until their first frame is sealed.
 */
export class StreamOpener {
  readonly #options: StreamOpenerOptions;
  readonly #sender: FrameSender<ClientStream>;
  readonly #onLateBegin: () => void;
  readonly #queue = new OpeningQueue<ClientStream>();
  readonly #slots: StreamSlots;
  #opened = 0;
  #mayTake = true;
  #mayOpen = true;

  /** @param onLateBegin - Called when events begin that had to wait for others, for example of another connection. */
  constructor(options: StreamOpenerOptions, sender: FrameSender<ClientStream>, onLateBegin: () => void) {
    this.#options = options;
    this.#sender = sender;
    this.#onLateBegin = onLateBegin;
    this.#slots = new StreamSlots(options.peer.maxInFlight);
    options.sequence.announce(options.peer.maxInFlight);
  }

  /** The number of streams that hold a slot of the server. */
  get begunCount(): number {
    return this.#slots.taken;
  }

  /** The number of streams that wait for a slot. */
  get queuedCount(): number {
    return this.#queue.size;
  }

  get hasUnopened(): boolean {
    return this.#queue.size > 0 || this.#slots.unsealed > 0;
  }

  /** @throws {TransportError} As {@link ClientStreams.open}. */
  add(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink): ClientStream {
    this.#check(message.bytes);
    this.#opened += 1;
    const stream = new ClientStream(kind, message, sink, this.#opened);
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
        return;
      case 'BEGUN':
        this.#slots.freeUnsealed(stream.message);
        break;
      case 'SEALED':
      case 'CANCELLED':
        this.#slots.freeSealed();
        break;
      case 'ENDED':
        return;
    }
    stream.at = 'ENDED';
    if (stream.sequence !== undefined) this.#options.sequence.settle(stream.sequence);
    this.beginEligible();
  }

  /** Begins all streams that need not wait anymore. */
  beginEligible(): void {
    while (this.#queue.size > 0 && this.#hasSlot) {
      const stream = this.#queue.takeNext((waiting) => this.#mayBegin(waiting));
      if (stream === undefined) return;
      this.#begin(stream);
    }
  }

  stopTaking(): void {
    this.#mayTake = false;
  }

  /** @returns All streams of which no byte was sealed, in the order of opening. The caller must end those that have begun. */
  stopOpening(): readonly ClientStream[] {
    this.#mayTake = this.#mayOpen = false;
    const queued = this.#queue.drain();
    for (const stream of queued) stream.at = 'ENDED';
    return [...queued, ...this.#sender.unopened()].sort((one, other) => one.order - other.order);
  }

  /** Ends the wait of events when the connection has ended. */
  stopWaiting(): void {
    this.#options.sequence.stopWaiting(this.#beginWaiting);
  }

  readonly #beginWaiting = (): void => {
    this.beginEligible();
    this.#onLateBegin();
  };

  #check(bytes: number): void {
    const { peer, maxQueuedBytes, maxQueuedMessages } = this.#options;
    if (!this.#mayTake) throw refusal('ERR_CONNECTION_DRAINING', 'The connection is draining: use another one');
    if (this.#sender.nextId > MAX_STREAM_ID)
      throw refusal('ERR_STREAMS_EXHAUSTED', 'The connection has no stream id left');
    if (bytes > peer.maxMessageBytes) throw tooLarge(bytes, peer.maxMessageBytes);
    const waiting = this.#queue.bytes + this.#sender.queuedBytes;
    if (this.#queue.size >= maxQueuedMessages || (waiting > 0 && waiting + bytes > maxQueuedBytes)) {
      throw refusal(
        'ERR_QUEUE_FULL',
        `The queue is full: ${this.#queue.size} messages and ${waiting} bytes already wait (limits.maxQueuedMessages, limits.maxQueuedBytes)`,
      );
    }
  }

  get #hasSlot(): boolean {
    const hasId = this.#sender.nextId + this.#slots.unsealed <= MAX_STREAM_ID;
    return this.#mayOpen && hasId && this.#slots.hasFree;
  }

  #mayBegin({ kind, message }: ClientStream): boolean {
    if (!this.#sender.hasRoomFor(message) || !this.#slots.mayTake(message)) return false;
    return kind === 'REQUEST' || this.#options.sequence.mayBegin(this.#beginWaiting);
  }

  #begin(stream: ClientStream): void {
    if (stream.kind === 'EVENT') {
      stream.sequence = this.#options.sequence.begin();
      stream.message.prefix = stream.sequence;
    }
    stream.at = 'BEGUN';
    this.#slots.take(stream.message);
    this.#sender.sendMessage(stream, stream.kind, stream.message);
  }
}
