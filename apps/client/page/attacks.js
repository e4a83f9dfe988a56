import { element } from './format.js';

const NAMES = ['flip', 'replay', 'cut'];

const OFF = 'The wire tap is off: set WIRE_TAP=true and start the client app again to play them.';

/** The button that plays the attacks, and their results. */
export class Attacks {
  /** @readonly */
  #access;
  /** @readonly */
  #button = document.querySelector('#attack-button');
  /** @readonly */
  #note = document.querySelector('#attack-note');
  /** @readonly */
  #results = [...document.querySelectorAll('#attack-results > li')];

  constructor(access) {
    this.#access = access;
  }

  listen() {
    this.#button.addEventListener('click', () => void this.#play());
    if (this.#access.settings.wireTap) return;
    this.#button.disabled = true;
    this.#show(OFF);
  }

  async #play() {
    if (this.#button.getAttribute('aria-disabled') === 'true') return;
    this.#button.setAttribute('aria-disabled', 'true');
    for (const item of this.#results) clearResult(item);
    try {
      for (const [index, name] of NAMES.entries()) {
        this.#show(`Playing ${index + 1} of ${NAMES.length} …`);
        const response = await this.#access.fetch(`console/attacks/${name}`, { method: 'POST' });
        const result = await response.json();
        if (!response.ok) {
          this.#show(`${result.code}: ${result.message}`, true);
          return;
        }
        showResult(this.#results[index], result);
      }
      this.#show('All three were played against the running server.');
    } catch {
      this.#show('The client app does not answer: start it again', true);
    } finally {
      this.#button.removeAttribute('aria-disabled');
    }
  }

  #show(text, isBad = false) {
    this.#note.textContent = text;
    this.#note.dataset.kind = isBad ? 'bad' : 'plain';
  }
}

function clearResult(item) {
  delete item.dataset.verdict;
  item.querySelector('.verdict')?.remove();
  item.querySelector('dl')?.remove();
}

function showResult(item, { isRefused, facts }) {
  item.dataset.verdict = isRefused ? 'refused' : 'failed';
  item
    .querySelector('h3')
    .append(element('span', { className: 'verdict', text: isRefused ? 'Refused' : 'Not refused' }));
  const list = element('dl');
  for (const fact of facts) list.append(element('dt', { text: fact.name }), factElement(fact));
  item.append(list);
}

function factElement({ text, bytes }) {
  if (bytes === undefined) return element('dd', { text });
  const { before, changed, after } = bytes;
  return element('dd', {}, `${text} `, element('code', {}, before, element('mark', { text: changed }), after));
}
