/**
 * The sequence numbers of the events of one client object at one server object (docs/protocol.md §6.7). All connections
 * between the two share it, so that the server recognises an event that it has already passed on.
 */
export class EventSequence {
  /** The smallest `maxInFlight` that the server has announced: its window is at least as wide. */
  #window = Infinity;
  #next = 0;
  /** In ascending order, so that the first one is the oldest. */
  readonly #unacknowledged = new Set<number>();
  /** Callbacks of connections whose next event has to wait. */
  readonly #waiting = new Set<() => void>();

  /** Notes the `maxInFlight` that the server has announced on a further connection. */
  announce(maxInFlight: number): void {
    this.#window = Math.min(this.#window, maxInFlight);
  }

  /**
   * Returns whether another event may begin. The server remembers the last `window` sequences; an event that arrived
   * after its place was dropped would be lost.
   *
   * @param onRoom - Called once, as soon as an event may begin, if this returns false.
   */
  mayBegin(onRoom: () => void): boolean {
    if (this.#hasRoom) return true;
    this.#waiting.add(onRoom);
    return false;
  }

  begin(): number {
    const sequence = this.#next;
    this.#next += 1;
    this.#unacknowledged.add(sequence);
    return sequence;
  }

  /** Notes that an event was acknowledged or given up. */
  settle(sequence: number): void {
    this.#unacknowledged.delete(sequence);
    if (this.#waiting.size === 0 || !this.#hasRoom) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const onRoom of waiting) onRoom();
  }

  /** Removes the callback of a connection that has ended. */
  stopWaiting(onRoom: () => void): void {
    this.#waiting.delete(onRoom);
  }

  get #hasRoom(): boolean {
    for (const oldest of this.#unacknowledged) return this.#next - oldest < this.#window;
    return true;
  }
}
