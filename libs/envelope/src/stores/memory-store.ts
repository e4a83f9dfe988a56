import { clock } from '@sealwire/crypto/internal';

import type { ReplayStore } from './replay-store.js';

/** A store that only the objects of one process share, for tests and as an example. */
export class MemoryReplayStore implements ReplayStore {
  readonly #expiryMs = new Map<string, number>();

  claim(id: string, ttlMs: number): Promise<boolean> {
    const nowMs = clock.nowMs();
    for (const [known, expiryMs] of this.#expiryMs) if (expiryMs <= nowMs) this.#expiryMs.delete(known);
    if (this.#expiryMs.has(id)) return Promise.resolve(false);
    this.#expiryMs.set(id, nowMs + ttlMs);
    return Promise.resolve(true);
  }
}
