/**
 * The events of one client object that were passed to handlers (docs/protocol.md §6.7). Events below the window count
 * as passed on, because a client never gets ahead by more than the width of the window.
 */
export class EventWindow {
  readonly #size: number;
  /** Created by the first event, because many clients send only requests. */
  #seen: Uint8Array | undefined;
  #highest = -1;

  /** @param size - At least the `maxInFlight` that this server announces. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Returns whether the event was noted or is below the window. */
  has(sequence: number): boolean {
    if (sequence > this.#highest) return false;
    return sequence <= this.#highest - this.#size || this.#seen?.[sequence % this.#size] === 1;
  }

  /** Notes the event. Returns false if the window already has it. */
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
