/**
 * Which events of one client instance have been handed to handlers (docs/protocol.md §6.7). What lies before the
 * window counts as handed over: the client does not run further ahead than the window is wide.
 */
export class EventWindow {
  readonly #size: number;
  /** Made for the first event: many clients only ask. */
  #seen: Uint8Array | undefined;
  #highest = -1;

  /** @param size - At least the events in flight that this server announces. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Whether the event was noted, or lies below the window. */
  has(sequence: number): boolean {
    if (sequence > this.#highest) return false;
    return sequence <= this.#highest - this.#size || this.#seen?.[sequence % this.#size] === 1;
  }

  /** Notes the event; false if the window has it already. */
  admit(sequence: number): boolean {
    if (this.has(sequence)) return false;
    const seen = (this.#seen ??= new Uint8Array(this.#size));
    if (sequence > this.#highest) {
      // The places between the old and the new highest belong to events that have not arrived yet.
      const steps = Math.min(sequence - this.#highest, this.#size);
      for (let step = 0; step < steps; step++) seen[(sequence - step) % this.#size] = 0;
      this.#highest = sequence;
    }
    seen[sequence % this.#size] = 1;
    return true;
  }
}
