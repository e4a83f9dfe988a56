export interface Bounds {
  /** The limit of all callers together. */
  readonly all: number;
  /** The limit of one caller. */
  readonly each: number;
}

/** Counts an amount for each caller and in total, and refuses to exceed either limit. */
export class Quota {
  readonly #bounds: Bounds;
  readonly #heldBy = new Map<string, number>();
  #held = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Takes `amount` if the limits allow it. Returns whether they did. */
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
