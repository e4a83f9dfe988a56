import type { RunningInServer } from './running-in-server.js';

export interface RunningLimits {
  readonly maxRunning: number;
  /** The limit of the memory of their messages, which the last message may exceed. */
  readonly maxRunningBytes: number;
}

/** The handlers that run for one connection, limited per connection and by the limit of the server. */
export class RunningInConnection {
  readonly #limits: RunningLimits;
  readonly #total: RunningInServer;
  #taken = 0;
  #takenBytes = 0;

  constructor(limits: RunningLimits, total: RunningInServer) {
    this.#limits = limits;
    this.#total = total;
  }

  get isEmpty(): boolean {
    return this.#taken === 0;
  }

  /** Whether this connection alone has reached its limit. */
  get isFull(): boolean {
    return this.#taken >= this.#limits.maxRunning || this.#takenBytes >= this.#limits.maxRunningBytes;
  }

  get isFullForRequests(): boolean {
    return this.isFull || this.#total.isFull;
  }

  get isFullForEvents(): boolean {
    return this.isFull || this.#total.isFullForEvents;
  }

  /** @param bytes - The memory of the message of the handler. */
  take(bytes: number): void {
    this.#taken += 1;
    this.#takenBytes += bytes;
    this.#total.take(bytes);
  }

  /** Frees a place. Waiting events of other connections may run before this returns. */
  release(bytes: number): void {
    this.#taken -= 1;
    this.#takenBytes -= bytes;
    this.#total.release(bytes);
  }
}
