import { clock } from '../clock.js';
import type { TransportError } from '../errors.js';
import { KeptByInstance } from '../kept-by-instance.js';
import { msSince } from '../moment.js';
import type { Loss } from '../streams/client-stream.js';
import { EventSequence } from '../streams/events/event-sequence.js';
import type { SequenceOwner } from '../streams/events/event-sequence.js';
import { wakes } from '../wake-queue.js';
import type { Sleeper } from '../wake-queue.js';
import { within } from '../within.js';

/**
 * The time after a loss in which an event may be sent again. The server keeps its window for a minute longer
 * (docs/protocol.md §6.7).
 */
export const SEND_AGAIN_MS = 540_000;

/**
 * Longer than a server keeps the window of a client that has left. The server may notice the end of the connection only
 * when the session is 24 h old, and then keeps the window for 10 minutes.
 */
const KEPT_MS = 90_000_000;
const MAX_SEQUENCES = 10_000;

/**
 * The event sequences of one client by the instance id of the server (docs/protocol.md §6.7). They keep the events of
 * lost connections until another connection to the same server sends them again.
 */
export class EventSequences {
  readonly #sequences: KeptByInstance<EventSequence>;
  /** The sequences that keep events. */
  readonly #keeping = new Map<string, EventSequence>();
  readonly #onNoneKept: (() => void)[] = [];

  constructor() {
    const create = (serverId: string): EventSequence =>
      new Keeper((sequence) => this.#note(serverId, sequence)).sequence;
    this.#sequences = new KeptByInstance({ create, keptMs: KEPT_MS, maxKept: MAX_SEQUENCES });
  }

  /** Returns the sequence for a new connection. @param serverId - The instance as a latin1 string. */
  of(serverId: string): EventSequence {
    return this.#sequences.of(serverId);
  }

  /** Notes the end of a connection. */
  release(serverId: string): void {
    this.#sequences.release(serverId);
  }

  /** The number of kept events. */
  get keptCount(): number {
    let count = 0;
    for (const sequence of this.#keeping.values()) count += sequence.keptCount;
    return count;
  }

  /**
   * Returns whether events wait to be sent again, so that a client dials although no call waits.
   *
   * @param serverId - The server instance; undefined: any.
   */
  hasKept(serverId?: string): boolean {
    return serverId === undefined ? this.#keeping.size > 0 : this.#keeping.has(serverId);
  }

  /** Fails the kept events of a server that is gone with the loss of their connection, and with `sent: true`. */
  giveUp(serverId: string): void {
    this.#keeping.get(serverId)?.giveUp();
  }

  /** Fails the kept events of a server that may run twice, so that they move to another server. */
  moveRepeatable(serverId: string): void {
    this.#keeping.get(serverId)?.giveUpRepeatable();
  }

  /** Fails all kept events with `reason`, and with `sent: true`. */
  giveUpAll(reason: TransportError): void {
    for (const sequence of this.#keeping.values()) sequence.giveUp(reason);
  }

  /** Resolves when no event is kept, or after `timeoutMs`. */
  async whenNoneKept(timeoutMs: number): Promise<void> {
    if (!this.hasKept()) return;
    await within(timeoutMs, new Promise<void>((resolve) => this.#onNoneKept.push(resolve)));
  }

  #note(serverId: string, sequence: EventSequence): void {
    if (sequence.keptCount > 0) this.#keeping.set(serverId, sequence);
    else this.#keeping.delete(serverId);
    if (!this.hasKept()) for (const resolve of this.#onNoneKept.splice(0)) resolve();
  }
}

/** The time of the kept events of one server: one timer for all of them, in the queue of the process. */
class Keeper implements SequenceOwner, Sleeper {
  place = -1;
  readonly sequence: EventSequence;
  readonly #onChanged: (sequence: EventSequence) => void;

  constructor(onChanged: (sequence: EventSequence) => void) {
    this.#onChanged = onChanged;
    this.sequence = new EventSequence(this);
  }

  leftMs({ lastRead }: Loss): number {
    return Math.max(0, SEND_AGAIN_MS - msSince(lastRead));
  }

  onKept(): void {
    this.#onChanged(this.sequence);
    this.wake();
  }

  onNoneKept(): void {
    wakes.queue.delete(this);
    this.#onChanged(this.sequence);
  }

  wake(): void {
    const leftMs = this.sequence.giveUpLate();
    if (leftMs < Infinity) wakes.queue.set(this, clock.nowMs() + leftMs);
  }
}
