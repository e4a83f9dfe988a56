import type { TransportError } from '../../errors.js';
import { Fifo } from '../../sending/fifo.js';
import type { ClientStream, Loss, StreamHolder } from '../client-stream.js';
import { UnacknowledgedEvents } from './unacknowledged-events.js';

/** The owner of a sequence, which has the clock. */
export interface SequenceOwner {
  /** Returns the time in which an event may still be sent again; 0 if it may not. */
  leftMs(loss: Loss): number;
  /** Called when further events are kept. */
  onKept(): void;
  /** Called when no event is left. */
  onNoneKept(): void;
}

const NO_OWNER: SequenceOwner = { leftMs: () => Infinity, onKept: () => undefined, onNoneKept: () => undefined };

/** An event; its sequence is undefined before it begins for the first time. */
type SequencedEvent = Pick<ClientStream, 'sequence' | 'message'>;

/**
 * The sequence numbers of the events of one client object at one server object (docs/protocol.md §6.7). All connections
 * between the two share it, so that the server recognizes an event that it has already passed on. It keeps the events
 * that were sealed on a lost connection, in ascending order, until another connection takes them.
 *
 * One connection at a time has events that are unacknowledged: frames of two connections can arrive in any order.
 */
export class EventSequence implements StreamHolder {
  readonly #owner: SequenceOwner;
  readonly #unacknowledged = new UnacknowledgedEvents();
  #next = 0;
  /** The callback of the connection that has the unacknowledged events which are not kept. */
  #carrier: (() => void) | undefined;
  readonly #kept = new Fifo<ClientStream>();
  #keptBytes = 0;
  /** Callbacks of connections whose next event has to wait. */
  readonly #waiting = new Set<() => void>();
  /** The order of the first small event that waits to begin on each connection, by its callback. */
  readonly #firsts = new Map<() => void, () => number>();
  /** Callbacks of the connections that take kept events. */
  readonly #takers = new Set<() => void>();

  constructor(owner = NO_OWNER) {
    this.#owner = owner;
  }

  /** The number of events that wait to be sent again. */
  get keptCount(): number {
    return this.#kept.size;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether events wait to be sent again and no connection takes them. */
  get needsConnection(): boolean {
    return this.keptCount > 0 && this.#takers.size === 0;
  }

  /** Adds a connection. @param first - Returns the order of the first small event that waits there; Infinity: none. */
  join(onRoom: () => void, first: () => number): void {
    this.#firsts.set(onRoom, first);
  }

  /** Removes a connection that has ended, and on which no event is left waiting. */
  leave(onRoom: () => void): void {
    this.#firsts.delete(onRoom);
  }

  /** Notes that an event no longer waits on its connection although it has not begun. */
  noteFirstChanged(): void {
    if (this.#waiting.size > 0) this.#wakeWaiting();
  }

  /**
   * Notes the `maxInFlight` that the server has announced on a further connection.
   *
   * @param maxBytes - The maximum bytes of unacknowledged events, unless there is only one.
   */
  announce(maxInFlight: number, maxBytes: number): void {
    this.#unacknowledged.announce(maxInFlight, maxBytes);
  }

  /**
   * Returns whether an event may begin. The server remembers the last `window` sequences; an event that arrived after
   * its place was dropped would be lost. An event waits for those that another connection has, and a new one also until
   * those that are sent again have begun. A small one waits for older small ones that wait on other connections.
   *
   * @param onRoom - Names the connection. Called once, as soon as an event may begin, if this returns false.
   */
  mayBegin({ sequence, message }: SequencedEvent, onRoom: () => void): boolean {
    const isNew = sequence === undefined;
    const isNext = !isNew || (this.keptCount === 0 && this.#unacknowledged.hasBytes(message.bytes));
    const isFirst = !isNew || message.isBulk || this.#isFirst(message.order, onRoom);
    const isAlone = this.#carrier === onRoom || this.#carriedCount === 0;
    if (isNext && isFirst && isAlone && this.#unacknowledged.isInWindow(sequence ?? this.#next)) return true;
    this.#waiting.add(onRoom);
    return false;
  }

  /**
   * Notes that an event has begun, and returns its sequence: a new one, or that which it had on the lost connection.
   *
   * @param carrier - As `onRoom` of {@link mayBegin}.
   */
  begin({ sequence, message }: SequencedEvent, carrier: () => void): number {
    this.#carrier = carrier;
    if (sequence !== undefined) return sequence;
    const next = this.#next;
    this.#next += 1;
    this.#unacknowledged.add(next, message.bytes);
    return next;
  }

  /** Notes that an event was acknowledged or given up. */
  settle(sequence: number): void {
    this.#unacknowledged.remove(sequence);
    this.noteFirstChanged();
  }

  /** Removes the callback of a connection that has ended. */
  stopWaiting(onRoom: () => void): void {
    this.#waiting.delete(onRoom);
    if (this.#carrier === onRoom) this.#carrier = undefined;
  }

  /** Adds a connection that takes kept events. @param onKept - Called when there are some. */
  addTaker(onKept: () => void): void {
    this.#takers.add(onKept);
  }

  removeTaker(onKept: () => void): void {
    this.#takers.delete(onKept);
  }

  /** Keeps events of a lost connection. Their sequences stay unacknowledged. */
  keep(streams: readonly ClientStream[]): void {
    if (streams.length === 0) return;
    const all = [...this.#kept.drain(), ...streams].sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    for (const stream of all) this.#kept.push(stream);
    for (const stream of streams) {
      stream.at = 'KEPT';
      stream.id = 0;
      stream.holder = this;
      this.#keptBytes += stream.message.bytes;
    }
    this.#owner.onKept();
    for (const onKept of [...this.#takers].toReversed()) onKept(); // the youngest connection first
  }

  /** Returns the oldest kept event, after it has given up those that it may no longer send. */
  firstKept(): ClientStream | undefined {
    for (let stream = this.#kept.peek(); stream !== undefined; stream = this.#kept.peek()) {
      if (this.#leftMs(stream) > 0) return stream;
      this.#giveUp(stream);
    }
    return undefined;
  }

  /** Removes a kept event that another connection has begun. */
  take(stream: ClientStream): void {
    this.#remove(stream);
  }

  cancel(stream: ClientStream): void {
    if (stream.at === 'KEPT') this.#drop(stream);
  }

  /** Fails a kept event and gives its sequence up. @param reason - Undefined: the loss of its connection. */
  giveUp(reason?: TransportError): void {
    for (const stream of this.#kept.values()) if (stream.at === 'KEPT') this.#giveUp(stream, reason);
  }

  /** Fails those kept events whose handlers may run twice, with the loss of their connection. */
  giveUpRepeatable(): void {
    for (const stream of this.#kept.values())
      if (stream.at === 'KEPT' && stream.sink.mayRepeat === true) this.#giveUp(stream);
  }

  /** Fails a kept event with a reason of its own. */
  refuse(stream: ClientStream, reason: TransportError): void {
    this.#giveUp(stream, reason);
  }

  /**
   * Gives up the kept events that may no longer be sent again. @returns The time until the next one; Infinity if none
   * is left.
   */
  giveUpLate(): number {
    const kept = this.#kept.values();
    for (const stream of kept) if (stream.at === 'KEPT' && this.#leftMs(stream) <= 0) this.#giveUp(stream);
    return Math.min(...this.#kept.values().map((stream) => this.#leftMs(stream)));
  }

  #giveUp(stream: ClientStream, reason = stream.loss?.reason()): void {
    this.#drop(stream);
    if (reason !== undefined) stream.sink.fail(reason.ofMessage(true));
  }

  #drop(stream: ClientStream): void {
    stream.at = 'ENDED';
    this.#remove(stream);
    if (stream.sequence !== undefined) this.settle(stream.sequence);
  }

  #remove(stream: ClientStream): void {
    if (!this.#kept.remove(stream)) return;
    this.#keptBytes -= stream.message.bytes;
    if (this.keptCount === 0) this.#owner.onNoneKept();
  }

  #leftMs({ loss }: ClientStream): number {
    return loss === undefined ? 0 : this.#owner.leftMs(loss);
  }

  /** The number of events that a connection has. */
  get #carriedCount(): number {
    return this.#unacknowledged.size - this.#kept.size;
  }

  /** Calls those whose event may begin now. */
  #wakeWaiting(): void {
    if (this.#carriedCount > 0) {
      const carrier = this.#carrier;
      const next = this.#kept.peek()?.sequence ?? this.#next;
      if (carrier !== undefined && this.#unacknowledged.isInWindow(next) && this.#waiting.delete(carrier)) carrier();
      return;
    }
    const waiting = [...this.#waiting].toReversed();
    this.#waiting.clear();
    for (const onRoom of waiting) onRoom();
  }

  #isFirst(order: number, onRoom: () => void): boolean {
    if (this.#firsts.size > 1)
      for (const [other, first] of this.#firsts) if (other !== onRoom && first() < order) return false;
    return true;
  }
}
