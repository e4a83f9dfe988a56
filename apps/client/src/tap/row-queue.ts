import type { LostRow, WireRow } from './wire-row.js';

export const MAX_QUEUED_ROWS = 1_000;

/** The rows that wait for one reader. Rows beyond {@link MAX_QUEUED_ROWS} are counted instead of kept. */
export class RowQueue {
  #rows: WireRow[] = [];
  #lost = 0;
  #state: object | undefined;

  push(row: WireRow): void {
    if (this.#rows.length < MAX_QUEUED_ROWS) this.#rows.push(row);
    else this.#lost += 1;
  }

  /** Replaces a state that has not been taken: only the newest one matters. */
  putState(state: object): void {
    this.#state = state;
  }

  /** Removes everything and returns it, one JSON text a line; an empty text if there is nothing. */
  take(): string {
    const lost: readonly LostRow[] = this.#lost > 0 ? [{ kind: 'lost', rows: this.#lost }] : [];
    const taken = [...this.#rows, ...lost, ...(this.#state === undefined ? [] : [this.#state])];
    this.#rows = [];
    this.#lost = 0;
    this.#state = undefined;
    return taken.map((row) => `${JSON.stringify(row)}\n`).join('');
  }
}
