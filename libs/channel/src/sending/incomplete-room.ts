import type { OutgoingMessage } from './outgoing-message.js';

/** The maximum number of incomplete messages of several frames, because each must make progress within 10 s (R6.32). */
export const MAX_INCOMPLETE_MESSAGES = 16;

/** The room of the peer for incomplete messages (docs/protocol.md §6.4), and how much of it is in use. */
export class IncompleteRoom {
  readonly #maxBytes: number;
  #bytes = 0;
  #messages = 0;

  /** @param maxBytes - The limit that the peer announced. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Returns whether a message may start: it has one frame, it fits next to the others, or no other message is
   * incomplete.
   */
  fits({ bytes, isWhole }: Pick<OutgoingMessage, 'bytes' | 'isWhole'>): boolean {
    if (isWhole || this.#messages === 0) return true;
    return this.#bytes + bytes <= this.#maxBytes && this.#messages < MAX_INCOMPLETE_MESSAGES;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    this.#messages += 1;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#messages -= 1;
  }
}
