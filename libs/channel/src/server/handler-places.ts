/** The memory of a handler beside its message. */
const HANDLER_BYTES = 1_024;

export interface PlaceLimits {
  readonly maxHandlers: number;
  /** Of the memory of their messages, which the last message may exceed: each message has a place at a server that is idle. */
  readonly maxBytes: number;
}

/** The handlers that run for one connection, or for a whole server. A cancelled one counts until it has settled. */
export class HandlerPlaces {
  readonly #limits: PlaceLimits;
  readonly #all: HandlerPlaces | undefined;
  #taken = 0;
  #takenBytes = 0;

  /** @param all - The places of the server, for those of a connection. */
  constructor(limits: PlaceLimits, all?: HandlerPlaces) {
    this.#limits = limits;
    this.#all = all;
  }

  get isFull(): boolean {
    const { maxHandlers, maxBytes } = this.#limits;
    return this.#taken >= maxHandlers || this.#takenBytes >= maxBytes || this.#all?.isFull === true;
  }

  take(messageBytes: number): void {
    this.#count(1, messageBytes + HANDLER_BYTES);
  }

  release(messageBytes: number): void {
    this.#count(-1, -messageBytes - HANDLER_BYTES);
  }

  #count(handlers: number, bytes: number): void {
    this.#taken += handlers;
    this.#takenBytes += bytes;
    if (this.#all !== undefined) this.#all.#count(handlers, bytes);
  }
}
