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
  return row(
    cell('Server', server, { className: 'mono' }),
    cell('State', state === 'open' ? 'open' : STATE_TEXT.draining),
    cell('Key', keyId === '' ? '–' : keyId, { className: 'mono' }),
    cell('Age', duration(unixMs - openedUnixMs), { className: 'number' }),
    cell('Round trip', roundTripMs === undefined ? '–' : `${milliseconds(roundTripMs)} ms`, { className: 'number' }),
    cell('Out / in', `${sent} / ${received}`, { className: 'number' }),
    cell('Reconnects', String(reconnects), { className: 'number' }),
  );
}

function serverRow(server, state, failures) {
  const tries = failures > 0 ? `, ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'}` : '';
  return row(
    cell('Server', server, { className: 'mono' }),
    cell('State', `${STATE_TEXT[state] ?? state}${tries}`, { colspan: '6', 'data-state': 'bad' }),
  );
}

/** The roles are explicit, because the rows are no table rows on a phone. */
function row(...cells) {
  return element('tr', { role: 'row' }, ...cells);
}

/** @param label - Shown beside the text on a phone, which has no room for the head of the table. */
function cell(label, text, attributes = {}) {
  return element('td', { role: 'cell', text, 'data-label': label, ...attributes });
}
