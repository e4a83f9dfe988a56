import type { OutgoingMessage } from '../sending/outgoing-message.js';

/** Bulk that waits for credit holds no more slots than that, nor half of all: the others are for what passes it. */
const MAX_UNSEALED_BULK = 16;

/**
 * What a server takes at once of one connection (docs/protocol.md §6.5). A stream holds a slot from when it begins, which is
 * before its first frame is sealed and it gets its id, until its end.
 */
export class StreamSlots {
  readonly #maxInFlight: number;
  readonly #maxUnsealedBulk: number;
  #unsealed = 0;
  #unsealedBulk = 0;

  /** @param maxInFlight - What the server announced. */
  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
    this.#maxUnsealedBulk = Math.min(MAX_UNSEALED_BULK, Math.ceil(maxInFlight / 2));
  }

  /** Streams that have begun and have no id yet. */
  get unsealed(): number {
    return this.#unsealed;
  }

  /** @param sealed - Streams that have their ids and hold a slot as well. */
  hasFree(sealed: number): boolean {
    return sealed + this.#unsealed < this.#maxInFlight;
  }

  /** Whether a stream with this message may take a free slot: bulk may have to wait for credit, and hold it. */
  mayTake({ isBulk }: OutgoingMessage): boolean {
    return !isBulk || this.#unsealedBulk < this.#maxUnsealedBulk;
  }

  take(message: OutgoingMessage): void {
    this.#count(message, 1);
  }

  /** The stream with this message has been sealed, or has ended before. */
  release(message: OutgoingMessage): void {
    this.#count(message, -1);
  }

  #count({ isBulk }: OutgoingMessage, change: 1 | -1): void {
    this.#unsealed += change;
    if (isBulk) this.#unsealedBulk += change;
  }
}
