/** The number of unreported bytes of DATA at which a side sends CREDIT. */
export const CREDIT_DUE_BYTES = 131_072;

/**
 * The received bytes of DATA, and how many of them CREDIT has reported (docs/protocol.md §5.10). CREDIT is cumulative,
 * so at most one waits, and it gets its value when it is sealed.
 */
export class TakenBytes {
  #taken = 0;
  #reported = 0;

  /** Whether CREDIT must be sealed before the next DATA. */
  get isDue(): boolean {
    return this.#taken - this.#reported >= CREDIT_DUE_BYTES;
  }

  /**
   * Counts a received DATA record, including late frames, without waiting for handlers.
   *
   * @param bytes - Its `length` field.
   */
  take(bytes: number): void {
    this.#taken += bytes;
  }

  /** Returns the value of the CREDIT that is sealed now. */
  report(): number {
    this.#reported = this.#taken;
    return this.#taken;
  }
}
