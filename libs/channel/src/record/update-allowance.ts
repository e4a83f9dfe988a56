/** A sender leaves as many records between two KEY_UPDATEs, except by age; a receiver grants one for as many, after a burst. */
export const KEY_UPDATE_SPACING_RECORDS = 64;
export const KEY_UPDATE_BURST = 16;

/** How many KEY_UPDATEs may come in one direction (docs/protocol.md §5.4). Both sides count them. */
export class UpdateAllowance {
  readonly #freeAgeMs: number;
  #left = KEY_UPDATE_BURST;

  /** @param freeAgeMs - The end of a key of this age is free. */
  constructor(freeAgeMs: number) {
    this.#freeAgeMs = freeAgeMs;
  }

  get left(): number {
    return this.#left;
  }

  /** Record `n` goes through, whatever it says. */
  countRecord(n: number): void {
    if (n % KEY_UPDATE_SPACING_RECORDS === KEY_UPDATE_SPACING_RECORDS - 1 && this.#left < KEY_UPDATE_BURST)
      this.#left += 1;
  }

  /** Whether a key of this age may end. */
  allows(ageMs: number): boolean {
    return this.#left > 0 || ageMs >= this.#freeAgeMs;
  }

  /** A key has ended at this age. */
  take(ageMs: number): void {
    if (ageMs < this.#freeAgeMs && this.#left > 0) this.#left -= 1;
  }
}
