/** So many that no honest crowd reaches it within a handshake deadline, in a few MiB. */
const MAX_KEYS = 16_384;

/** The ephemeral keys of the messages 1 that were verified lately: an honest client uses each of its own once. */
export class SeenKeys {
  readonly #keptMs: number;
  readonly #maxKeys: number;
  /** When each was seen last, the longest ago first. */
  readonly #seenMs = new Map<string, number>();

  /** @param keptMs - How long a replay is recognised; each one counts as seen again. */
  constructor(keptMs: number, maxKeys = MAX_KEYS) {
    this.#keptMs = keptMs;
    this.#maxKeys = maxKeys;
  }

  /** @returns Whether it was seen within that time. */
  add(key: Buffer, nowMs: number): boolean {
    const name = key.toString('latin1');
    this.#forgetBefore(nowMs - this.#keptMs);
    const isKnown = this.#seenMs.delete(name);
    if (this.#seenMs.size >= this.#maxKeys) {
      // A replay of the forgotten key then ranks as verified, but stays a stranger.
      const { value: oldest, done } = this.#seenMs.keys().next();
      if (done !== true) this.#seenMs.delete(oldest);
    }
    this.#seenMs.set(name, nowMs);
    return isKnown;
  }

  #forgetBefore(leastMs: number): void {
    for (const [name, seenMs] of this.#seenMs) {
      if (seenMs >= leastMs) return;
      this.#seenMs.delete(name);
    }
  }
}
