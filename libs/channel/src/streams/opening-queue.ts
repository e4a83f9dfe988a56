import { Fifo } from '../sending/fifo.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';

/** A stream that waits to be opened, as the queue uses it. */
export interface Waiting {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly message: OutgoingMessage;
  /** Its place among all streams: one that has left another connection may belong before others. */
  readonly order: number;
}

/**
 * Streams that wait to begin (docs/protocol.md §6.5), in four lines, because one kind must not block the others: bulk
 * waits for other bulk, bulk of several frames also for room, and events for the sequence window.
 */
export class OpeningQueue<T extends Waiting> {
  readonly #requests = new Fifo<T>();
  readonly #events = new Fifo<T>();
  readonly #bulk = new Fifo<T>();
  readonly #large = new Fifo<T>();
  #bytes = 0;

  get size(): number {
    return this.#requests.size + this.#events.size + this.#bulk.size + this.#large.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The `order` of the first small event; Infinity if there is none. */
  get firstEvent(): number {
    return this.#events.peek()?.order ?? Infinity;
  }

  push(stream: T): void {
    this.#lineOf(stream).insert(stream, ({ order }) => order > stream.order);
    this.#bytes += stream.message.bytes;
  }

  remove(stream: T): void {
    if (this.#lineOf(stream).remove(stream)) this.#bytes -= stream.message.bytes;
  }

  /** Removes and returns the oldest stream that may begin. */
  takeNext(mayBegin: (stream: T) => boolean): T | undefined {
    const stream = this.#nextLine(mayBegin)?.shift();
    if (stream !== undefined) this.#bytes -= stream.message.bytes;
    return stream;
  }

  /** Removes and returns the small events. */
  drainEvents(): readonly T[] {
    const events = this.#events.drain();
    for (const { message } of events) this.#bytes -= message.bytes;
    return events;
  }

  drain(): T[] {
    this.#bytes = 0;
    return [this.#requests, this.#events, this.#bulk, this.#large].flatMap((line) => line.drain());
  }

  #lineOf({ kind, message }: T): Fifo<T> {
    if (message.isBulk) return message.isWhole ? this.#bulk : this.#large;
    return kind === 'EVENT' ? this.#events : this.#requests;
  }

  #nextLine(mayBegin: (stream: T) => boolean): Fifo<T> | undefined {
    let next: Fifo<T> | undefined;
    for (const line of [this.#requests, this.#events, this.#bulk, this.#large]) {
      const head = line.peek();
      if (head === undefined || !mayBegin(head)) continue;
      if (head.order < (next?.peek()?.order ?? Infinity)) next = line;
    }
    return next;
  }
}
