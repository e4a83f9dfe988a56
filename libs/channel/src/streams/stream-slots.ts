import type { OutgoingMessage } from '../sending/outgoing-message.js';

/** Bulk that waits for credit holds no more slots than that, nor half of all: the others are for what passes it. */
const MAX_UNSEALED_BULK = 16;

/**
 * The streams that a server takes at once of one connection (docs/protocol.md §6.5). A stream holds a slot from when it
 * begins, which is before its first frame is sealed and it gets its id, until its end.
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

  /** Streams that have begun and have no id yet. */
  get unsealed(): number {
    return this.#unsealed;
  }

  get taken(): number {
    return this.#unsealed + this.#sealed;
  }

  get hasFree(): boolean {
    return this.taken < this.#max;
  }

  /** Whether a stream with this message may take a free slot: bulk may have to wait for credit, and hold it. */
  mayTake({ isBulk }: OutgoingMessage): boolean {
    return !isBulk || this.#unsealedBulk < this.#maxUnsealedBulk;
  }

  take(message: OutgoingMessage): void {
    this.#countUnsealed(message, 1);
  }

  /** The first frame of the stream with this message has been sealed. */
  seal(message: OutgoingMessage): void {
    this.#countUnsealed(message, -1);
    this.#sealed += 1;
  }

  /** The stream with this message has ended before its first frame was sealed. */
  freeUnsealed(message: OutgoingMessage): void {
    this.#countUnsealed(message, -1);
  }

  /** A stream has ended that was sealed. */
  freeSealed(): void {
    this.#sealed -= 1;
  }

  #countUnsealed({ isBulk }: OutgoingMessage, change: 1 | -1): void {
    this.#unsealed += change;
    if (isBulk) this.#unsealedBulk += change;
  }
}
