/**
 * The sequence numbers of one client object's events at one server object (docs/protocol.md §6.7). The connections between
 * the two share it, one after the other and side by side: by it the server knows what it has handed over already.
 */
export class EventSequence {
  /** The smallest number in flight that the server has announced: its window is at least as wide. */
  #window = Infinity;
  #next = 0;
  /** In the order of the sequence, so that the first one is the oldest. */
  readonly #unacknowledged = new Set<number>();
  /** Of connections whose next event may not begin yet. */
  readonly #waiting = new Set<() => void>();

  /** The server has announced, on one more connection, how many streams it takes. */
  announce(maxInFlight: number): void {
    this.#window = Math.min(this.#window, maxInFlight);
  }

  /**
   * Whether another event may begin. The server remembers the last `window` sequences, and an event that came after its
   * place had been forgotten would be lost.
   *
   * @param whenItMay - Is called once if it may not, as soon as it does.
   */
  mayBegin(whenItMay: () => void): boolean {
    if (this.#hasRoom) return true;
    this.#waiting.add(whenItMay);
    return false;
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
    if (this.#waiting.size === 0 || !this.#hasRoom) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const whenItMay of waiting) whenItMay();
  }

  /** The connection is over. */
  stopWaiting(whenItMay: () => void): void {
    this.#waiting.delete(whenItMay);
  }

  get #hasRoom(): boolean {
    for (const oldest of this.#unacknowledged) return this.#next - oldest < this.#window;
    return true;
  }
}
