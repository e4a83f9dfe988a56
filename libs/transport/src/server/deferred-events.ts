import type { ServerStream } from '@sealwire/channel';

import type { RunningInConnection, RunningInServer, WaitingEvents } from '@sealwire/channel/internal';

/** The events of one connection that wait for a place, in FIFO order; bounded by the streams in flight. */
export class DeferredEvents implements WaitingEvents {
  readonly #own: RunningInConnection;
  readonly #total: RunningInServer;
  #waiting: Map<ServerStream, () => void> | undefined;
  #isHandingOver = false;

  constructor(own: RunningInConnection, total: RunningInServer) {
    this.#own = own;
    this.#total = total;
  }

  get hasWaiting(): boolean {
    return this.#waiting !== undefined && this.#waiting.size > 0;
  }

  /** Whether a new event has to wait. */
  get mustWait(): boolean {
    return this.hasWaiting || this.#isHandingOver || this.#own.isFullForEvents;
  }

  /** @param handOver - Called now if there is a place and no event waits, otherwise when the event's turn has come. */
  run(stream: ServerStream, handOver: () => void): void {
    if (!this.mustWait) {
      handOver();
      return;
    }
    (this.#waiting ??= new Map()).set(stream, handOver);
    this.runWaiting();
  }

  /** Removes an event that was cancelled or handed over. Returns whether it was waiting. */
  forget(stream: ServerStream): boolean {
    const hasWaited = this.#waiting?.delete(stream) ?? false;
    if (hasWaited && !this.hasWaiting) this.#total.forget(this);
    return hasWaited;
  }

  /** Hands over events until the limits are reached. An event that starts no handler leaves room for the next. */
  runWaiting(): void {
    if (this.#isHandingOver) return; // a handler that was just started has already ended: the loop below continues
    this.#isHandingOver = true;
    try {
      for (const [stream, handOver] of this.#waiting ?? []) {
        if (this.#own.isFull) return;
        if (this.#total.isFullForEvents) {
          this.#total.enqueue(this);
          return;
        }
        this.#waiting?.delete(stream);
        handOver();
      }
    } finally {
      this.#isHandingOver = false;
    }
  }
}
