const INITIAL_CAPACITY = 8;
// Shared by all empty tables, because a connection has several, and most connections are idle. They are never written.
const NO_IDS: number[] = [0]; // 0: free
const NO_VALUES: undefined[] = [undefined];
// Random for each process, so that a peer cannot choose ids that all start their search at the same place.
const MULTIPLIER = (Math.random() * 0x1_0000_0000) | 1;

/**
 * Values by positive 32-bit ids, with open addressing and linear probing.
 *
 * A `Map` with a set and a delete for each message allocates a new table every few dozen messages, and each abandoned
 * table keeps its entries and refers to the next one. Once one of them is in V8's old generation, the whole chain, and
 * with it every finished stream, survives all collections of young objects.
 */
export class IdTable<T> {
  #ids = NO_IDS;
  #values: (T | undefined)[] = NO_VALUES;
  #mask = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#values[this.#find(id)];
  }

  has(id: number): boolean {
    return this.#ids[this.#find(id)] === id;
  }

  set(id: number, value: T): void {
    let at = this.#find(id);
    if (this.#ids[at] !== id) {
      if (this.#size * 2 >= this.#mask) {
        this.#grow();
        at = this.#find(id);
      }
      this.#size += 1;
    }
    this.#ids[at] = id;
    this.#values[at] = value;
  }

  delete(id: number): boolean {
    const hole = this.#find(id);
    if (this.#ids[hole] !== id) return false;
    this.#size -= 1;
    this.#close(hole);
    return true;
  }

  /** Returns the ids in ascending order, each with its value. */
  entries(): (readonly [id: number, value: T])[] {
    const entries: (readonly [number, T])[] = [];
    for (const [at, value] of this.#values.entries()) {
      const id = this.#ids[at];
      if (id !== undefined && id !== 0 && value !== undefined) entries.push([id, value]);
    }
    return entries.sort(([a], [b]) => a - b);
  }

  /** Returns the place of `id`, or the free place for it: at most half of the places are taken. */
  #find(id: number): number {
    const ids = this.#ids;
    const mask = this.#mask;
    let at = placeOf(id, mask);
    for (let held = ids[at]; held !== id && held !== 0; held = ids[at]) at = (at + 1) & mask;
    return at;
  }

  /** Moves back the entries that a search could not reach across the hole, so that no place is marked as deleted. */
  #close(place: number): void {
    const [ids, values, mask] = [this.#ids, this.#values, this.#mask];
    let hole = place;
    let at = (hole + 1) & mask;
    for (let id = ids[at] ?? 0; id !== 0; id = ids[at] ?? 0) {
      const isReachedAcross = ((at - placeOf(id, mask)) & mask) >= ((at - hole) & mask);
      if (isReachedAcross) {
        ids[hole] = id;
        values[hole] = values[at];
        hole = at;
      }
      at = (at + 1) & mask;
    }
    ids[hole] = 0;
    values[hole] = undefined;
  }

  #grow(): void {
    const entries = this.entries();
    const capacity = Math.max(INITIAL_CAPACITY, 2 * this.#ids.length);
    this.#ids = Array.from({ length: capacity }, () => 0);
    this.#values = Array.from({ length: capacity }, () => undefined);
    this.#mask = capacity - 1;
    for (const [id, value] of entries) {
      const at = this.#find(id);
      this.#ids[at] = id;
      this.#values[at] = value;
    }
  }
}

/** Uses the middle bits of the product, because its low bits depend only on the low bits of `id`. */
function placeOf(id: number, mask: number): number {
  return (Math.imul(id, MULTIPLIER) >>> 12) & mask;
}
