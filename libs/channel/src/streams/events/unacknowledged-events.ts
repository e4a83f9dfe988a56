/**
 * The events of a client that its server has not acknowledged. Their sequences must fit in the server's window, and their
 * number of bytes is limited.
 */
export class UnacknowledgedEvents {
  /** The bytes of each event by its sequence, in ascending order, so that the first one is the oldest. */
  readonly #bytesOf = new Map<number, number>();
  #bytes = 0;
  /** The smallest `maxInFlight` that the server has announced: its window is at least as wide. */
  #window = Infinity;
  #maxBytes = Infinity;

  get size(): number {
    return this.#bytesOf.size;
  }

  /** Notes the limits of the server, as {@link EventSequence.announce} does. */
  announce(maxInFlight: number, maxBytes: number): void {
    this.#window = Math.min(this.#window, maxInFlight);
    this.#maxBytes = maxBytes;
  }

  /** Adds the next event. Its sequence is larger than all others. */
  add(sequence: number, bytes: number): void {
    this.#bytesOf.set(sequence, bytes);
    this.#bytes += bytes;
  }

  remove(sequence: number): void {
    this.#bytes -= this.#bytesOf.get(sequence) ?? 0;
    this.#bytesOf.delete(sequence);
  }

  /** Returns whether the server would still have the place of the oldest event after it got this sequence. */
  isInWindow(sequence: number): boolean {
    for (const [oldest] of this.#bytesOf) return sequence - oldest < this.#window;
    return true;
  }

  /** Returns whether there is room for another event. A single one may be of any length. */
  hasBytes(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }
}
