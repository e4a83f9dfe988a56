import { clock } from '@sealwire/channel/internal';
import { sha256 } from '@sealwire/crypto/internal';
import type { ReplayStore } from '@sealwire/envelope';

/** `first`: no other process has the message. */
export type Claim = 'first' | 'again' | 'store' | 'overload';

const CLAIM_TIMEOUT_MS = 5000;
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 67_108_864;

/** Asks a shared replay store for messages, and keeps the messages of each queue in order while it is asked. */
export class Claims {
  readonly #store: ReplayStore;
  readonly #ttlMs: number;
  readonly #onFailed: (error: unknown) => void;
  /** The last message of each queue that waits. */
  readonly #tails = new Map<string, Promise<Claim>>();
  #waiting = 0;
  #waitingBytes = 0;

  /**
   * @param maxAgeMs - Of messages. An id is claimed for twice as long, because clocks may differ either way.
   * @param onFailed - Called with the error of the store.
   */
  constructor(store: ReplayStore, maxAgeMs: number, onFailed: (error: unknown) => void) {
    this.#store = store;
    this.#ttlMs = 2 * maxAgeMs;
    this.#onFailed = onFailed;
  }

  /**
   * Resolves after all earlier claims of the same queue, but immediately with `overload`. Never rejects.
   *
   * @param bytes - The length of the message, which waits meanwhile.
   */
  async claim(queue: string, id: string, bytes: number): Promise<Claim> {
    if (this.#waiting >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) return 'overload';
    const before = this.#tails.get(queue);
    const own = this.#ask(id);
    const claim = before === undefined ? own : before.then(() => own);
    this.#tails.set(queue, claim);
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    const result = await claim;
    this.#waiting -= 1;
    this.#waitingBytes -= bytes;
    if (this.#tails.get(queue) === claim) this.#tails.delete(queue);
    return result;
  }

  async #ask(id: string): Promise<Claim> {
    try {
      return (await inTime(this.#store.claim(id, this.#ttlMs))) ? 'first' : 'again';
    } catch (error) {
      this.#onFailed(error);
      return 'store';
    }
  }
}

/**
 * Returns the end of the ids that servers claim which share the messages of one queue, in letters that every replay store
 * takes.
 *
 * @param names - Of the queue.
 */
export function groupOf(...names: readonly string[]): string {
  return Buffer.from(sha256(Buffer.from(JSON.stringify(names)))).toString('hex', 0, 8);
}

/** Rejects if `work` takes too long. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const expired = new Error(`The replay store has not answered within ${CLAIM_TIMEOUT_MS} ms`);
    const timer = clock.setTimeout(() => reject(expired), CLAIM_TIMEOUT_MS);
    void work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
