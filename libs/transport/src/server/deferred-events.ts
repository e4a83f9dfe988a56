import type { ServerStream } from '@sealwire/channel';

import type { ConnectionPlaces } from '../handler/connection-places.js';
import type { HandlerPlaces, WaitingEvents } from '../handler/handler-places.js';

/** The events of one connection that wait for a place, in the order in which they came; bounded by the streams in flight. */
export class DeferredEvents implements WaitingEvents {
  readonly #own: ConnectionPlaces;
  readonly #total: HandlerPlaces;
  #waiting: Map<ServerStream, () => void> | undefined;
  #isHandingOver = false;

  constructor(own: ConnectionPlaces, total: HandlerPlaces) {
    this.#own = own;
    this.#total = total;
  }

  get hasWaiting(): boolean {
    return this.#waiting !== undefined && this.#waiting.size > 0;
  }

  /** Whether an event that comes now has to wait. */
  get mustWait(): boolean {
    return this.hasWaiting || this.#isHandingOver || this.#own.isFullForEvents;
  }

  /** @param handOver - Is called now if there is a place and nothing waits, else when its turn has come. */
  run(stream: ServerStream, handOver: () => void): void {
    if (!this.mustWait) {
      handOver();
      return;
    }
    (this.#waiting ??= new Map()).set(stream, handOver);
    this.runWaiting();
  }

  /** Its connection has ended. */
  forget(stream: ServerStream): boolean {
    const hasWaited = this.#waiting?.delete(stream) ?? false;
    if (hasWaited && !this.hasWaiting) this.#total.forget(this);
    return hasWaited;
  }

  /** Some of them do not start a handler any more, so that there may be room for the next. */
  runWaiting(): void {
    if (this.#isHandingOver) return; // one of them has ended at once: the loop that handed it over goes on
    this.#isHandingOver = true;
    try {
      this.#handOver();
    } finally {
      this.#isHandingOver = false;
    }
  }

  #handOver(): void {
    for (const [stream, run] of this.#waiting ?? []) {
      if (this.#own.isFull) return;
      if (this.#total.isFullForEvents) {
        this.#total.enqueue(this);
        return;
      }
      this.#waiting?.delete(stream);
      run();
    }
  }
}
