/** One in 32 places, and one in 32 bytes, is reserved for requests. */
const PLACES_PER_KEPT_PLACE = 32;

/** The events of one connection that wait for a place. */
export interface WaitingEvents {
  /** Starts the handlers of the events that may run now. */
  runWaiting(): void;
}

/**
 * The limit of handlers that run concurrently in the whole server. A handler counts until it ends, even if its
 * connection is gone. A freed place goes to the connections with waiting events, in turn.
 */
export class RunningInServer {
  readonly #max: number;
  readonly #maxBytes: number;
  readonly #waiting = new Set<WaitingEvents>();
  #taken = 0;
  #takenBytes = 0;
  #isHandingOver = false;

  /** @param maxBytes - The limit of the memory of their messages, which the last message may exceed. */
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

  /**
   * Whether events have reached their limit, which is lower than that of requests. Events wait, but requests fail, so
   * otherwise waiting events would take every freed place.
   */
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
    if (this.#isHandingOver) return; // a handler that was just started has already ended: the loop below continues
    this.#isHandingOver = true;
    try {
      for (const next of this.#waiting) {
        if (this.isFullForEvents) return;
        this.#waiting.delete(next);
        next.runWaiting();
      }
    } finally {
      this.#isHandingOver = false;
    }
  }

  /** Calls `events.runWaiting` once, when a place is free. */
  enqueue(events: WaitingEvents): void {
    this.#waiting.add(events);
  }

  /** Removes `events`, of which none is waiting any longer. */
  forget(events: WaitingEvents): void {
    this.#waiting.delete(events);
  }
}

function partForEvents(max: number): number {
  return max - Math.floor(max / PLACES_PER_KEPT_PLACE);
}
