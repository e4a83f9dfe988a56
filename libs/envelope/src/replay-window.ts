// Which ids of envelopes were seen, docs/envelope.md §6. Exact: no id passes twice, whatever the clocks do, and a message
// that was overtaken by others is not refused.
//
// The counters of a sender are dense, so that one bit for each is enough. Two generations replace an expiry for each id:
// an id is remembered for one to two lifetimes. A forgotten id cannot return, because the window remembers the
// newest `iat` of it and refuses everything that is not newer.
import type { Jti } from './jti.js';

const IDS_OF_BLOCK = 512;
const WORD_BITS = 32;
/** About 20 MB for each generation, 65,536 senders or 33 million messages. */
const MAX_BLOCKS = 65_536;

export interface ReplayWindowOptions {
  /** How long an id must be remembered, in milliseconds. */
  readonly lifetimeMs: number;
  /** The largest number of blocks of 512 ids in a generation; with more, the window forgets earlier. */
  readonly maxBlocks?: number | undefined;
}

class Generation {
  readonly blocks = new Map<string, Uint32Array>();
  newestIat = -1;
  readonly startedMs: number;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }
}

export class ReplayWindow {
  readonly #lifetimeMs: number;
  readonly #maxBlocks: number;
  #current: Generation;
  #previous: Generation;
  #forgottenIat = -1;

  /** @param nowMs - A monotonic time, as of every later call. */
  constructor({ lifetimeMs, maxBlocks = MAX_BLOCKS }: ReplayWindowOptions, nowMs: number) {
    this.#lifetimeMs = lifetimeMs;
    this.#maxBlocks = maxBlocks;
    this.#current = new Generation(nowMs);
    this.#previous = new Generation(nowMs);
  }

  /** How many blocks of 512 ids it remembers. */
  get blocks(): number {
    return this.#current.blocks.size + this.#previous.blocks.size;
  }

  /**
   * Returns whether the id was not seen before, and remembers it. Call it only with ids that a tag authenticates, because
   * a stranger could otherwise fill the window.
   *
   * @param iat - Of the same envelope, in seconds.
   */
  claim({ sender, counter }: Jti, iat: number, nowMs: number): boolean {
    this.forget(nowMs);
    const block = `${sender}.${Math.floor(counter / IDS_OF_BLOCK)}`;
    const bit = counter % IDS_OF_BLOCK;
    if (iat <= this.#forgottenIat || has(this.#current, block, bit) || has(this.#previous, block, bit)) return false;
    this.#remember(block, bit, nowMs);
    this.#current.newestIat = Math.max(this.#current.newestIat, iat);
    return true;
  }

  /** Frees the memory of ids that are older than their lifetime. Every claim does so. */
  forget(nowMs: number): void {
    const ageMs = nowMs - this.#current.startedMs;
    if (ageMs >= this.#lifetimeMs) this.#beginGeneration(nowMs);
    if (ageMs >= 2 * this.#lifetimeMs) this.#beginGeneration(nowMs);
  }

  #remember(block: string, bit: number, nowMs: number): void {
    let words = this.#current.blocks.get(block);
    if (words === undefined) {
      if (this.#current.blocks.size >= this.#maxBlocks) this.#beginGeneration(nowMs);
      words = new Uint32Array(IDS_OF_BLOCK / WORD_BITS);
      this.#current.blocks.set(block, words);
    }
    const word = Math.floor(bit / WORD_BITS);
    words[word] = (words[word] ?? 0) | (1 << (bit % WORD_BITS));
  }

  #beginGeneration(nowMs: number): void {
    this.#forgottenIat = Math.max(this.#forgottenIat, this.#previous.newestIat);
    this.#previous = this.#current;
    this.#current = new Generation(nowMs);
  }
}

function has({ blocks }: Generation, block: string, bit: number): boolean {
  const word = blocks.get(block)?.[Math.floor(bit / WORD_BITS)] ?? 0;
  return ((word >>> (bit % WORD_BITS)) & 1) === 1;
}
