import type { OutgoingMessage } from '../sending/outgoing-message.js';

/**
 * The maximum number of slots for bulk that waits for credit, at most half of all. The others are for small messages.
 */
const MAX_UNSEALED_BULK = 16;

/**
 * The slots of one connection for streams that are open at the same time (docs/protocol.md §6.5). A stream holds a slot
 * from its beginning, before its first frame is sealed and it gets its id, to its end.
 */
export class StreamSlots {
  readonly #max: number;
  readonly #maxUnsealedBulk: number;
  #unsealed = 0;
  #unsealedBulk = 0;
  #sealed = 0;

  /** @param maxInFlight - Announced by the server. */
  constructor(maxInFlight: number) {
    this.#max = maxInFlight;
    this.#maxUnsealedBulk = Math.min(MAX_UNSEALED_BULK, Math.ceil(maxInFlight / 2));
  }

  /** The number of streams that have begun and have no id yet. */
  get unsealed(): number {
    return this.#unsealed;
  }

  get taken(): number {
    return this.#unsealed + this.#sealed;
  }

  get hasFree(): boolean {
    return this.taken < this.#max;
  }

  /**
   * Returns whether a stream with this message may take a free slot. Bulk is limited, because it may hold its slot for
   * long.
   */
  mayTake({ isBulk }: OutgoingMessage): boolean {
    return !isBulk || this.#unsealedBulk < this.#maxUnsealedBulk;
  }

  take(message: OutgoingMessage): void {
    this.#countUnsealed(message, 1);
  }

  /** Notes that the first frame of the stream with this message was sealed. */
  seal(message: OutgoingMessage): void {
    this.#countUnsealed(message, -1);
    this.#sealed += 1;
  }

  /** Frees the slot of a stream whose first frame was not sealed. */
  freeUnsealed(message: OutgoingMessage): void {
    this.#countUnsealed(message, -1);
  }

  /** Frees the slot of a stream whose first frame was sealed. */
  freeSealed(): void {
    this.#sealed -= 1;
  }

  #countUnsealed({ isBulk }: OutgoingMessage, change: 1 | -1): void {
    this.#unsealed += change;
    if (isBulk) this.#unsealedBulk += change;
  }
}
