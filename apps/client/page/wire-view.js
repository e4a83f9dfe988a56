import { failureOf, reasonOf } from './call.js';
import { byteCount, element, timeOf } from './format.js';
import { RowList } from './row-list.js';
import { textLines } from './text-lines.js';
import { Turn } from './turn.js';

const HOUSEKEEPING = new Set(['PING', 'PONG', 'CREDIT']);
const RETRY_MS = 1000;

/** Reads the wire tap for as long as the page is open. */
export class WireView {
  /** @readonly */
  #access;
  /** @readonly */
  #onState;
  /** @readonly */
  #turn = new Turn();
  /** @readonly */
  #rows = new RowList(
    document.querySelector('#wire'),
    createRow,
    'No message has crossed the wire since the page was opened.',
  );
  /** @readonly */
  #count = document.querySelector('#wire-count');
  /** @readonly */
  #pause = document.querySelector('#pause-button');
  /** @readonly */
  #housekeeping = document.querySelector('#housekeeping');
  #seen = 0;
  /** The rows that came while the list was paused, or whose type is not chosen. */
  #hidden = 0;
  #lost = 0;

  constructor(access, onState) {
    this.#access = access;
    this.#onState = onState;
    this.#pause.addEventListener('click', () => {
      const isPaused = this.#pause.getAttribute('aria-pressed') === 'true';
      this.#pause.setAttribute('aria-pressed', String(!isPaused));
      this.#pause.textContent = isPaused ? 'Pause' : 'Resume';
    });
  }

  /** Returns when the token is wrong. After every other end it connects again. */
  async follow() {
    for (;;) {
      const signal = await this.#turn.begin();
      let failure;
      try {
        const response = await this.#access.fetch('console/wire', { signal });
        if (response.status === 401) return;
        if (response.ok) for await (const line of textLines(response)) this.#take(JSON.parse(line));
        else failure = await failureOf(response);
      } catch {
        // The app has ended, the network was lost, or the turn is over.
      }
      if (signal.aborted) continue;
      this.#onState(reasonOf(failure));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #take(row) {
    if (row.kind === 'state') {
      this.#onState(row);
      return;
    }
    if (row.kind === 'lost') this.#lost += row.rows;
    if (row.kind !== 'wire') return;
    this.#seen += 1;
    const isPaused = this.#pause.getAttribute('aria-pressed') === 'true';
    if (!isPaused && (this.#housekeeping.checked || !HOUSEKEEPING.has(row.type))) this.#rows.add(row);
    else this.#hidden += 1;
    const hidden = this.#hidden > 0 ? ` (${this.#hidden} hidden)` : '';
    const lost = this.#lost > 0 ? `, ${this.#lost} more not shown` : '';
    this.#count.textContent = `${this.#seen} records${hidden}${lost}`;
  }
}

function createRow({ unixMs, direction, number, type, bytes, sealed, keyId, server }) {
  const isRefused = type === 'REFUSED';
  const row = element('li', { className: isRefused ? 'refused' : direction });
  const arrow = element('span', { className: 'direction', text: direction === 'sent' ? '→' : '←' });
  row.append(
    element('span', { className: 'time', text: timeOf(unixMs) }),
    arrow,
    element('span', { text: `#${number}` }),
    element('span', { className: 'type', text: type }),
    element('span', { className: 'size', text: byteCount(bytes) }),
    element('span', { className: 'sealed mono', text: `${sealed}…` }),
    element('span', { className: 'key', text: `${direction} under key ${keyId}, ${server}` }),
  );
  return row;
}
