import { Access } from './access.js';
import { Attacks } from './attacks.js';
import { CallForm } from './call-form.js';
import { Chart } from './chart.js';
import { Connections } from './connections.js';
import { element, timeOf } from './format.js';
import { RowList } from './row-list.js';
import { WireView } from './wire-view.js';

/** A call of the health endpoint pings every server, which measures the round trip and connects again after a loss. */
const PING_INTERVAL_MS = 5000;
const ARROWS = { sent: '→', received: '←', failed: '✕' };

const find = (selector) => document.querySelector(selector);
const access = await Access.load();
const { needsToken, showsMessages, wireTap, carrier, service } = access.settings;

find('#service').textContent = service;
document.documentElement.dataset.carrier = carrier;
find('#carrier').textContent =
  carrier === 'broker' ? 'a NATS broker, as sealed envelopes (JWE)' : 'a connection of its own, as sealed records';
if (!showsMessages) find('#said-hint').textContent = 'LOG_MESSAGES is false: only the sizes of the messages are shown.';

const said = new RowList(find('#said'), createSaidRow, 'Nothing has been said yet. Send a message above.');
const connections = new Connections();
const chart = new Chart();
const wire = new WireView(access, showState);
new CallForm(access, said).listen();
new Attacks(access).listen();

if (wireTap) setInterval(() => void fetch('health').catch(() => undefined), PING_INTERVAL_MS);
if (needsToken) askForToken();
else watch();

function watch() {
  if (!wireTap) {
    find('#wire-hint').textContent = 'The wire tap is off: set WIRE_TAP=true and start the client app again to see it.';
    setStatus('The wire tap is off', 'unknown');
    return;
  }
  void wire.follow().then(askAgain);
}

function askForToken() {
  const form = find('#token-form');
  form.hidden = false;
  setStatus('Waiting for the token', 'unknown');
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    access.use(find('#token').value.trim());
    form.hidden = true;
    watch();
  });
}

/** Only a wrong token ends the view. */
function askAgain() {
  const note = find('#token-note');
  note.textContent = 'The app does not accept this token.';
  note.dataset.kind = 'bad';
  access.use('');
  find('#token-form').hidden = false;
  setStatus('Waiting for the token', 'unknown');
}

/** @param state - Undefined if the app does not answer. */
function showState(state) {
  if (state === undefined) {
    setStatus('The client app does not answer', 'bad');
    return;
  }
  const open = state.connections.length;
  find('#key-id').textContent = state.keyId ?? 'none';
  connections.show(state);
  chart.add(state);
  if (state.keysError !== undefined) setStatus(`The key file cannot be used: ${state.keysError}`, 'bad');
  else if (open === 0) setStatus('Not connected to a server', 'bad');
  else setStatus(`Connected, sealed under key ${state.keyId}`, 'good');
}

function setStatus(text, state) {
  const status = find('#status');
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = state;
}

function createSaidRow({ unixMs, type, text, className }) {
  return element(
    'li',
    { className },
    element('span', { className: 'time', text: timeOf(unixMs) }),
    element('span', { className: 'direction', text: ARROWS[className] }),
    element('span', { className: 'type', text: type }),
    element('span', { className: 'said-text mono', text }),
  );
}
