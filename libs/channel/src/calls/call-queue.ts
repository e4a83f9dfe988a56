import type { ClientLink } from '../client/client-link.js';
import { closed, closedBefore } from '../pool/waiting-calls.js';
import type { Links } from '../client/links.js';
import { TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { Limits } from '../options/limits.js';
import type { ClientStream } from '../streams/client-stream.js';
import { RetryBudget } from './retry-budget.js';

/** A call with an encoded message and without a connection. */
export interface QueuedCall {
  readonly kind: ClientStream['kind'];
  /** A call that moves may be older, by the `order` of its message, than those that wait already. */
  readonly message: Pick<OutgoingMessage, 'bytes' | 'order' | 'hasPlace'>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly start: (link: ClientLink) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The calls of one client that wait for a connection. Requests start in the order in which they came, and events in the
 * order in which they were emitted, including events from a lost connection. The same limits apply as to calls that are
 * queued on a connection.
 */
export class CallQueue {
  readonly links: Links;
  readonly budget = new RetryBudget();
  /** The number of attempts after the first of a call. */
  retries = 0;
  #closes = 0;
  readonly #limits: Pick<Limits, 'maxQueuedMessages' | 'maxQueuedBytes'>;
  readonly #waiting = new Map<QueuedCall, Promise<void>>();
  readonly #counts = { REQUEST: 0, EVENT: 0 };
  #bytes = 0;

  constructor(links: Links, limits: Pick<Limits, 'maxQueuedMessages' | 'maxQueuedBytes'>) {
    this.links = links;
    this.#limits = limits;
  }

  /** Returns whether a call may start immediately if there is a connection: no earlier call of its kind waits. */
  isEmptyFor(kind: ClientStream['kind']): boolean {
    return this.#counts[kind] === 0;
  }

  /** Resolves when every waiting event has started or failed; undefined if no event waits. */
  get whenEventsStarted(): Promise<void> | undefined {
    const events = [...this.#waiting].filter(([{ kind }]) => kind === 'EVENT').map(([, started]) => started);
    return events.length === 0 ? undefined : Promise.all(events).then(() => undefined);
  }

  /**
   * Starts a call when there is a connection. Fails it with the error of the wait, or if it is new and too much waits
   * already.
   */
  add(call: QueuedCall): void {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    const { size } = this.#waiting;
    const {
      message: { bytes, hasPlace },
    } = call;
    if (!hasPlace && (size >= maxQueuedMessages || (size > 0 && this.#bytes + bytes > maxQueuedBytes))) {
      const message = `The queue is full: ${size} messages with ${this.#bytes} bytes are already waiting for a connection (limits.maxQueuedMessages, limits.maxQueuedBytes)`;
      call.fail(new TransportError('ERR_QUEUE_FULL', message, { sent: false }));
      return;
    }
    call.message.hasPlace = true;
    this.#bytes += bytes;
    this.#counts[call.kind] += 1;
    this.#waiting.set(call, this.#start(call));
  }

  /** The number of times that the client was closed: a call that was made before a close is not tried again after it. */
  get closes(): number {
    return this.#closes;
  }

  /** Fails the waiting requests because the client closes. Events keep waiting. */
  close(): void {
    this.#closes += 1;
    for (const { kind, fail } of this.#waiting.keys()) if (kind === 'REQUEST') fail(closed());
  }

  async #start(call: QueuedCall): Promise<void> {
    const { closes } = this.links;
    let link: ClientLink;
    try {
      link = await this.links.connect(call.kind, call.signal, true); // bounded by this queue
      if (this.links.closes !== closes) throw closedBefore();
    } catch (error) {
      if (this.#remove(call)) call.fail(error);
      return;
    }
    if (!this.#waiting.has(call)) return; // started with an event that came before it
    const started = call.kind === 'EVENT' ? this.#eventsInOrder() : [call];
    for (const each of started) this.#remove(each); // first, because a call that fails may wait again
    for (const each of started) each.start(link);
  }

  #eventsInOrder(): readonly QueuedCall[] {
    return [...this.#waiting.keys()]
      .filter(({ kind }) => kind === 'EVENT')
      .sort((a, b) => a.message.order - b.message.order);
  }

  /** Returns false if the call no longer waits. */
  #remove(call: QueuedCall): boolean {
    if (!this.#waiting.delete(call)) return false;
    this.#bytes -= call.message.bytes;
    this.#counts[call.kind] -= 1;
    return true;
  }
}
