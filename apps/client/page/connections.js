import { duration, element, milliseconds } from './format.js';

const STATE_TEXT = {
  idle: 'not connected',
  connecting: 'connecting',
  duplicate: 'same server under another address',
  draining: 'finishing its calls',
};

/** The table of the connections, and of servers that have none. */
export class Connections {
  /** @readonly */
  #body = document.querySelector('#connections');

  show({ unixMs, connections, servers }) {
    const withConnection = new Set(connections.map(({ server }) => server));
    const others = servers.filter(({ server, connections: open }) => open === 0 && !withConnection.has(server));
    const rows = [
      ...connections.map((each) => connectionRow(each, unixMs)),
      ...others.map(({ server, state, failures }) => serverRow(server, state, failures)),
    ];
    this.#body.replaceChildren(...rows);
  }
}

function connectionRow({ server, state, keyId, openedUnixMs, roundTripMs, sent, received, reconnects }, unixMs) {
  return element(
    'tr',
    {},
    element('td', { className: 'mono', text: server }),
    element('td', { text: state === 'open' ? 'open' : STATE_TEXT.draining }),
    element('td', { className: 'mono', text: keyId === '' ? '–' : keyId }),
    element('td', { className: 'number', text: duration(unixMs - openedUnixMs) }),
    element('td', { className: 'number', text: roundTripMs === undefined ? '–' : `${milliseconds(roundTripMs)} ms` }),
    element('td', { className: 'number', text: `${sent} / ${received}` }),
    element('td', { className: 'number', text: String(reconnects) }),
  );
}

function serverRow(server, state, failures) {
  const tries = failures > 0 ? `, ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'}` : '';
  return element(
    'tr',
    {},
    element('td', { className: 'mono', text: server }),
    element('td', { text: `${STATE_TEXT[state] ?? state}${tries}`, colspan: '6', 'data-state': 'bad' }),
  );
}
