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
/** As RFC 6750 defines it. The browser refuses other characters in a header. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const ARROWS = { sent: '→', received: '←', failed: '✕' };

const find = (selector) => document.querySelector(selector);
const access = await Access.load((reason) => setStatus(reason, 'bad'));
const { needsToken, wireTap, carrier, service } = access.settings;

find('#service').textContent = service;
document.documentElement.dataset.carrier = carrier;
find('#carrier').textContent =
  carrier === 'broker' ? 'a NATS broker, as sealed envelopes (JWE)' : 'a connection of its own, as sealed records';

const said = new RowList(find('#said'), createSaidRow, 'Nothing has been said yet. Send a message above.');
const connections = new Connections();
const chart = new Chart();
const wire = new WireView(access, showState);
new CallForm(access, said).listen();
new Attacks(access).listen();

if (wireTap) void ping();
find('#token-form').addEventListener('submit', useToken);
if (needsToken) askForToken();
else watch();

/** Waits for each answer, because calls would pile up while all connections of the browser are in use. */
async function ping() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PING_INTERVAL_MS));
    await fetch('health').catch(() => undefined);
  }
}

function watch() {
  if (!wireTap) {
    find('#wire-hint').textContent = 'The wire tap is off: set WIRE_TAP=true and start the client app again to see it.';
    setStatus('The wire tap is off', 'unknown');
    return;
  }
  void wire.follow().then(askAgain);
}

function askForToken() {
  find('#token-form').hidden = false;
  setStatus('Waiting for the token', 'unknown');
}

function useToken(submitted) {
  submitted.preventDefault();
  const token = find('#token').value.trim();
  if (!TOKEN.test(token)) {
    complainAboutToken('A token has letters, digits and -._~+/ only.');
    return;
  }
  access.use(token);
  find('#token-form').hidden = true;
  watch();
}

function complainAboutToken(text) {
  const note = find('#token-note');
  note.textContent = text;
  note.dataset.kind = 'bad';
}

/** Only a wrong token ends the view, or the first one if the app has a token since its last start. */
function askAgain() {
  complainAboutToken('The app does not accept this token.');
  access.forgetToken();
  askForToken();
}

/** @param state - A text if there is none, and why. */
function showState(state) {
  if (typeof state === 'string') {
    setStatus(state, 'bad');
    connections.show({ unixMs: Date.now(), connections: [], servers: [] });
    return;
  }
  const open = state.connections.length;
  find('#key-id').textContent = state.keyId ?? 'none';
  connections.show(state);
  chart.add(state);
  if (state.keysError !== undefined) setStatus(`The key file cannot be used: ${state.keysError}`, 'bad');
  else if (open === 0) setStatus(`Not connected: start the ${carrier === 'broker' ? 'broker' : 'server app'}`, 'bad');
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
