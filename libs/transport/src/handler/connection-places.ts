import type { SealwireLimits } from '../limits.js';
import type { HandlerPlaces } from './handler-places.js';

/** The places of the handlers of one connection, which are among those of the server. */
export class ConnectionPlaces {
  readonly #limits: Pick<SealwireLimits, 'maxRunning' | 'maxRunningBytes'>;
  readonly #total: HandlerPlaces;
  #taken = 0;
  #takenBytes = 0;

  constructor(limits: Pick<SealwireLimits, 'maxRunning' | 'maxRunningBytes'>, total: HandlerPlaces) {
    this.#limits = limits;
    this.#total = total;
  }

  get isEmpty(): boolean {
    return this.#taken === 0;
  }

  /** By this connection alone. */
  get isFull(): boolean {
    return this.#taken >= this.#limits.maxRunning || this.#takenBytes >= this.#limits.maxRunningBytes;
  }

  get isFullForRequests(): boolean {
    return this.isFull || this.#total.isFull;
  }

  get isFullForEvents(): boolean {
    return this.isFull || this.#total.isFullForEvents;
  }

  /** @param bytes - What the message of the handler takes in memory. */
  take(bytes: number): void {
    this.#taken += 1;
    this.#takenBytes += bytes;
    this.#total.take(bytes);
  }

  /** What waits in other connections may run before this returns. */
  release(bytes: number): void {
    this.#taken -= 1;
    this.#takenBytes -= bytes;
    this.#total.release(bytes);
  }
}
