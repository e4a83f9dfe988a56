import { clock } from './clock.js';

interface Used<T> {
  readonly value: T;
  readonly connections: number;
}

interface Kept<T> {
  readonly value: T;
  readonly unusedSinceMs: number;
}

export interface KeptByInstanceOptions<T> {
  readonly create: () => T;
  /** How long a value is kept after the last connection. */
  readonly keptMs: number;
  /** Values kept at most, beside those that have a connection: the one unused for longest goes first. */
  readonly maxKept: number;
}

/** What one object of the other side has in common over all its connections, and for a while after the last of them. */
export class KeptByInstance<T> {
  readonly #options: KeptByInstanceOptions<T>;
  /** Of those that are connected: however long that lasts, none of them is forgotten. */
  readonly #used = new Map<string, Used<T>>();
  /** Of those that are gone, in the order in which they left. */
  readonly #kept = new Map<string, Kept<T>>();

  constructor(options: KeptByInstanceOptions<T>) {
    this.#options = options;
  }

  /** The value of one that connects; several connections share it. @param key - The instance, a byte as a character. */
  of(key: string): T {
    this.#forget(clock.nowMs());
    const used = this.#used.get(key);
    const value = used?.value ?? this.#kept.get(key)?.value ?? this.#options.create();
    this.#kept.delete(key);
    this.#used.set(key, { value, connections: (used?.connections ?? 0) + 1 });
    return value;
  }

  /** A connection is gone; with the last one the time begins to run. */
  release(key: string): void {
    const used = this.#used.get(key);
    if (used === undefined) return;
    if (used.connections > 1) {
      this.#used.set(key, { ...used, connections: used.connections - 1 });
      return;
    }
    this.#used.delete(key);
    this.#kept.set(key, { value: used.value, unusedSinceMs: clock.nowMs() });
  }

  #forget(nowMs: number): void {
    const { keptMs, maxKept } = this.#options;
    for (const [key, { unusedSinceMs: leftMs }] of this.#kept) {
      if (nowMs - leftMs < keptMs && this.#kept.size < maxKept) return;
      this.#kept.delete(key);
    }
  }
}
