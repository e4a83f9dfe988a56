/** One of so many, and of so many bytes, is kept for requests. */
const PLACES_PER_KEPT_PLACE = 32;

/** Where one connection's events wait for a place. */
export interface WaitingEvents {
  /** Hands over what may run now. */
  runWaiting(): void;
}

/**
 * The places of handlers that run at once in the whole server, whatever connection they serve, and also after it is gone.
 * A place that is freed goes to the connections whose events wait, in turn.
 */
export class HandlerPlaces {
  readonly #max: number;
  readonly #maxBytes: number;
  readonly #waiting = new Set<WaitingEvents>();
  #taken = 0;
  #takenBytes = 0;
  #isHandingOver = false;

  /** @param maxBytes - Of the messages that the handlers have; the last one of them may pass it. */
  constructor(max: number, maxBytes: number) {
    this.#max = max;
    this.#maxBytes = maxBytes;
  }

  get takenCount(): number {
    return this.#taken;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  get isFull(): boolean {
    return this.#taken >= this.#max || this.#takenBytes >= this.#maxBytes;
  }

  /** Events wait where requests fail: without places kept free they would take each that is freed. */
  get isFullForEvents(): boolean {
    return this.#taken >= partForEvents(this.#max) || this.#takenBytes >= partForEvents(this.#maxBytes);
  }

  take(bytes: number): void {
    this.#taken += 1;
    this.#takenBytes += bytes;
  }

  release(bytes: number): void {
    this.#taken -= 1;
    this.#takenBytes -= bytes;
    if (this.#isHandingOver) return; // what was handed over has ended at once: the loop below goes on
    this.#isHandingOver = true;
    try {
      this.#handOver();
    } finally {
      this.#isHandingOver = false;
    }
  }

  /** `events` hears of the next free place, once. */
  enqueue(events: WaitingEvents): void {
    this.#waiting.add(events);
  }

  /** Nothing of it waits any more. */
  forget(events: WaitingEvents): void {
    this.#waiting.delete(events);
  }

  #handOver(): void {
    for (const next of this.#waiting) {
      if (this.isFullForEvents) return;
      this.#waiting.delete(next);
      next.runWaiting();
    }
  }
}

function partForEvents(max: number): number {
  return max - Math.floor(max / PLACES_PER_KEPT_PLACE);
}
