/** The memory of incomplete messages on all connections of a process (docs/protocol.md §6.4). */
export class IncompleteMemory {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes `bytes`; returns false instead if the sum would exceed `maxBytes`, which each side of the process sets
   * itself.
   */
  take(bytes: number, maxBytes: number): boolean {
    if (this.#bytes + bytes > maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export const PROCESS_MEMORY = new IncompleteMemory();
