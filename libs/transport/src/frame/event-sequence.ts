/**
 * The sequence numbers of one client instance's events (docs/protocol.md §6.7). They survive reconnects: by them the
 * server knows what it has handed over already.
 */
export class EventSequence {
  #next = 0;
  /** In the order of the sequence, so that the first one is the oldest. */
  readonly #unacknowledged = new Set<number>();

  /**
   * Whether another event may begin. The server remembers the last `window` sequences, and an event that came after
   * its place had been forgotten would be lost.
   */
  mayBegin(window: number): boolean {
    for (const oldest of this.#unacknowledged) return this.#next - oldest < window;
    return true;
  }

  begin(): number {
    const sequence = this.#next;
    this.#next += 1;
    this.#unacknowledged.add(sequence);
    return sequence;
  }

  /** Acknowledged, or given up. */
  settle(sequence: number): void {
    this.#unacknowledged.delete(sequence);
  }
}
