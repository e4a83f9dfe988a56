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
  readonly create: (key: string) => T;
  /** How long a value is kept after the last connection. */
  readonly keptMs: number;
  /** The maximum number of values without a connection. The value that was unused for longest goes first. */
  readonly maxKept: number;
}

/** Values that all connections of one remote object share. They are kept for a while after its last connection. */
export class KeptByInstance<T> {
  readonly #options: KeptByInstanceOptions<T>;
  /** Values with a connection. They are never dropped. */
  readonly #used = new Map<string, Used<T>>();
  /** Values without a connection, in the order in which they lost the last one. */
  readonly #kept = new Map<string, Kept<T>>();

  constructor(options: KeptByInstanceOptions<T>) {
    this.#options = options;
  }

  /** Returns the value for a new connection. @param key - The instance as a latin1 string. */
  of(key: string): T {
    const { keptMs, maxKept, create } = this.#options;
    for (const [expired, { unusedSinceMs }] of this.#kept) {
      if (clock.nowMs() - unusedSinceMs < keptMs && this.#kept.size < maxKept) break;
      this.#kept.delete(expired);
    }
    const used = this.#used.get(key);
    const value = used?.value ?? this.#kept.get(key)?.value ?? create(key);
    this.#kept.delete(key);
    this.#used.set(key, { value, connections: (used?.connections ?? 0) + 1 });
    return value;
  }

  /** Notes the end of a connection. After the last one, `keptMs` starts. */
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
}
