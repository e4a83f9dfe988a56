/** The memory that incomplete messages take, over all connections of a process (docs/protocol.md §6.4). */
export class IncompleteMemory {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** False, and nothing is taken, if there would be more than `maxBytes`: sides of one process may have different bounds. */
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
