/** With so many bytes of DATA taken and not reported a side says CREDIT; below half of that it never does. */
export const CREDIT_DUE_BYTES = 131_072;

/**
 * What a side has taken of the other's DATA, and what CREDIT has reported of it (docs/protocol.md §5.10). It is cumulative:
 * one CREDIT that waits is enough, and its value is that of the moment at which it is sealed.
 */
export class TakenBytes {
  #taken = 0;
  #reported = 0;

  /** Whether CREDIT has to be sealed, and before DATA. */
  get isDue(): boolean {
    return this.#taken - this.#reported >= CREDIT_DUE_BYTES;
  }

  /** @param bytes - The `length` field of a DATA record that was taken: late frames count, and no handler is waited for. */
  take(bytes: number): void {
    this.#taken += bytes;
  }

  /** @returns The value of the CREDIT that is sealed now. */
  report(): number {
    this.#reported = this.#taken;
    return this.#taken;
  }
}
