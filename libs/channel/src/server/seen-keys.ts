/** More keys than honest clients use within a handshake deadline; they take a few MiB. */
const MAX_KEYS = 16_384;

/**
 * The ephemeral keys of recently verified messages 1. An honest client uses each key once, so a repeated one is a
 * replay.
 */
export class SeenKeys {
  readonly #keptMs: number;
  readonly #maxKeys: number;
  /** The time at which each key was last seen, oldest first. */
  readonly #seenMs = new Map<string, number>();

  /** @param keptMs - How long a replay is recognized; each replay extends that time. */
  constructor(keptMs: number, maxKeys = MAX_KEYS) {
    this.#keptMs = keptMs;
    this.#maxKeys = maxKeys;
  }

  /** Adds a key. @returns Whether it was already known. */
  add(key: Buffer, nowMs: number): boolean {
    const name = key.toString('latin1');
    for (const [known, seenMs] of this.#seenMs) {
      if (nowMs - seenMs <= this.#keptMs) break;
      this.#seenMs.delete(known);
    }
    const isKnown = this.#seenMs.delete(name);
    if (this.#seenMs.size >= this.#maxKeys) {
      // A replay of the forgotten key then ranks as verified, but stays a stranger.
      const { value: oldest, done } = this.#seenMs.keys().next();
      if (done !== true) this.#seenMs.delete(oldest);
    }
    this.#seenMs.set(name, nowMs);
    return isKnown;
  }
}
