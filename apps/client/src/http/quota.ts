export interface Bounds {
  /** What all callers together may hold. */
  readonly all: number;
  /** What one caller may hold. */
  readonly each: number;
}

/** Counts what callers hold, and refuses what goes beyond either bound. */
export class Quota {
  readonly #bounds: Bounds;
  readonly #heldBy = new Map<string, number>();
  #held = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Returns whether there was room; without room nothing is taken. */
  take(caller: string, amount: number): boolean {
    const own = (this.#heldBy.get(caller) ?? 0) + amount;
    if (own > this.#bounds.each || this.#held + amount > this.#bounds.all) return false;
    this.#held += amount;
    this.#heldBy.set(caller, own);
    return true;
  }

  giveBack(caller: string, amount: number): void {
    const own = (this.#heldBy.get(caller) ?? 0) - amount;
    this.#held -= amount;
    if (own > 0) this.#heldBy.set(caller, own);
    else this.#heldBy.delete(caller);
  }
}
