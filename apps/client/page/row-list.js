const MAX_KEPT_ROWS = 500;
const MAX_ROWS_OF_A_FRAME = 50;

/** A list of rows, newest first. It renders few rows in a frame and keeps a limited number, whatever the traffic. */
export class RowList {
  /** @readonly */
  #list;
  /** @readonly */
  #createRow;
  /** @readonly */
  #pending = [];
  #isScheduled = false;

  constructor(list, createRow, emptyText) {
    this.#list = list;
    this.#createRow = createRow;
    const empty = document.createElement('li');
    empty.className = 'empty';
    empty.textContent = emptyText;
    list.append(empty);
  }

  /** Rows that a later one would push out before they could be read are skipped. */
  add(row) {
    this.#pending.push(row);
    if (this.#pending.length > MAX_KEPT_ROWS) this.#pending.shift();
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#render();
      if (this.#pending.length > 0) this.#schedule();
    });
  }

  #render() {
    const list = this.#list;
    list.querySelector('.empty')?.remove();
    const rows = this.#pending.splice(0, MAX_ROWS_OF_A_FRAME).map((row) => this.#createRow(row));
    list.prepend(...rows.toReversed());
    while (list.childElementCount > MAX_KEPT_ROWS) list.lastElementChild.remove();
  }
}
