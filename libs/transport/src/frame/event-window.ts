/**
 * Which events of one client instance have been handed to handlers (docs/protocol.md §6.7). What lies before the
 * window counts as handed over: the client does not run further ahead than the window is wide.
 */
export class EventWindow {
  readonly #seen: Uint8Array;
  #highest = -1;

  /** @param size - At least the events in flight that this server announces. */
  constructor(size: number) {
    this.#seen = new Uint8Array(size);
  }

  /** Notes the event; false when it was noted before. */
  admit(sequence: number): boolean {
    const size = this.#seen.length;
    if (sequence <= this.#highest - size) return false;
    if (sequence > this.#highest) this.#slideTo(sequence);
    else if (this.#seen[sequence % size] === 1) return false;
    this.#seen[sequence % size] = 1;
    return true;
  }

  /** The places between the old and the new highest are those of events that have not come yet. */
  #slideTo(sequence: number): void {
    const size = this.#seen.length;
    const steps = Math.min(sequence - this.#highest, size);
    for (let step = 0; step < steps; step++) this.#seen[(sequence - step) % size] = 0;
    this.#highest = sequence;
  }
}
