/** The minimum number of consumed items before the array is compacted. */
const COMPACT_AT = 64;

/** A queue with constant cost at both ends, unlike the `shift` of an array. Its array is created on first use. */
export class Fifo<T> {
  #items: T[] | undefined;
  #head = 0;

  get size(): number {
    return this.#items === undefined ? 0 : this.#items.length - this.#head;
  }

  peek(): T | undefined {
    return this.#items?.[this.#head];
  }

  peekLast(): T | undefined {
    return this.size > 0 ? this.#items?.at(-1) : undefined;
  }

  push(item: T): void {
    if (this.#items === undefined) this.#items = [item];
    else this.#items.push(item);
  }

  /** Adds an item before the last ones that belong after it; constant cost at the end. */
  insert(item: T, belongsAfter: (other: T) => boolean): void {
    const items = (this.#items ??= []);
    let at = items.length;
    for (let other = this.peekLast(); other !== undefined && belongsAfter(other); other = items[at - 1]) {
      at -= 1;
      if (at === this.#head) break;
    }
    items.splice(at, 0, item);
  }

  shift(): T | undefined {
    const items = this.#items;
    const item = items?.[this.#head];
    if (items === undefined || item === undefined) return undefined;
    this.#head += 1;
    if (this.#head === items.length) {
      items.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 > items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes `item` from any position; constant cost at the head, linear elsewhere. */
  remove(item: T): boolean {
    const at = this.#items?.indexOf(item, this.#head) ?? -1;
    if (at < 0) return false;
    if (at === this.#head) this.shift();
    else this.#items?.splice(at, 1);
    return true;
  }

  /** Returns the items, starting at the head. */
  values(): readonly T[] {
    return this.#items?.slice(this.#head) ?? [];
  }

  /** Empties the queue and returns its items. */
  drain(): readonly T[] {
    const rest = this.values();
    this.#items = undefined;
    this.#head = 0;
    return rest;
  }
}
