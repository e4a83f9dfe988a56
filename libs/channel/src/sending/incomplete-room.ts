import type { OutgoingMessage } from './outgoing-message.js';

/** Messages of several frames that may be incomplete at once: each has to go on within 10 s (R6.32). */
export const MAX_INCOMPLETE_MESSAGES = 16;

/** What the peer takes incomplete (docs/protocol.md §6.4), and how much of it is in use. */
export class IncompleteRoom {
  readonly #maxBytes: number;
  #bytes = 0;
  #messages = 0;

  /** @param maxBytes - What the peer announced. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a message may begin: it has one frame, it fits beside the others, or it is the only one of several frames. */
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
