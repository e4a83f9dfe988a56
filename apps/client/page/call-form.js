import { CallFailure, event, reasonOf, request, stream } from './call.js';
import { byteCount, bytesOfHex, hexOf, MAX_SHOWN_CHARACTERS, milliseconds, shortened } from './format.js';

const MAX_TIMES = 10_000;
/** A browser opens at most six connections to the app. The wire tap has one, and one is for attacks and other tabs. */
const CONCURRENT_CALLS = 4;

const SHOWN = 'The calls of this page, in the clear. Other callers of the app are not shown.';
const NOT_SHOWN = 'LOG_MESSAGES is false: only the sizes of the messages are shown.';

const PRESETS = {
  hello: { pattern: 'message', kind: 'request', format: 'json', body: '{"text":"Hello Server!"}' },
  echo: { pattern: 'echo', kind: 'request', format: 'json', body: '{"any":["JSON",1]}' },
  bytes: { pattern: 'echo', kind: 'request', format: 'bytes', body: '00 01 fe ff' },
  event: { pattern: 'notice', kind: 'event', format: 'json', body: '{"text":"It rains"}' },
  stream: { pattern: 'countdown', kind: 'stream', format: 'json', body: '{"from":5,"intervalMs":1000}' },
};

/** The form that sends messages, and the list of what was said. */
export class CallForm {
  /** @readonly */
  #access;
  /** @readonly */
  #said;
  /** @readonly */
  #form = document.querySelector('#call-form');
  /** @readonly */
  #note = document.querySelector('#call-note');
  /** @readonly */
  #cancel = document.querySelector('#cancel-button');
  /** @readonly */
  #send = document.querySelector('#send-button');
  /** While a call runs. */
  #running;

  constructor(access, said) {
    this.#access = access;
    this.#said = said;
  }

  listen() {
    this.#describe();
    this.#form.addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      void this.#submit();
    });
    this.#cancel.addEventListener('click', () => this.#running?.abort());
    for (const button of this.#form.querySelectorAll('[data-preset]'))
      button.addEventListener('click', () => this.#fill(PRESETS[button.dataset.preset]));
  }

  #describe() {
    document.querySelector('#said-hint').textContent = this.#access.settings.showsMessages ? SHOWN : NOT_SHOWN;
  }

  #fill({ pattern, kind, format, body }) {
    this.#field('pattern').value = pattern;
    this.#field('body').value = body;
    this.#form.elements.kind.value = kind;
    this.#form.elements.format.value = format;
    this.#complain(undefined);
  }

  #field(name) {
    return this.#form.querySelector(`#${name}`);
  }

  async #submit() {
    if (this.#running !== undefined) return;
    const call = this.#read();
    if (call === undefined) return;
    this.#running = new AbortController();
    this.#cancel.disabled = false;
    this.#send.disabled = true;
    try {
      await this.#access.refresh();
      this.#describe();
      await this.#runAll({ ...call, signal: this.#running.signal });
    } finally {
      // The focus must not be lost with the button that loses its use.
      if (document.activeElement === this.#cancel) this.#field('pattern').focus();
      this.#cancel.disabled = true;
      this.#send.disabled = false;
      this.#running = undefined;
    }
  }

  /** Returns the call that the form describes; undefined after it has shown what is wrong. */
  #read() {
    const pattern = this.#field('pattern').value.trim();
    const times = Number(this.#field('times').value);
    const kind = this.#form.elements.kind.value;
    const format = this.#form.elements.format.value;
    const text = this.#field('body').value.trim();
    if (pattern === '') return this.#complain('Enter the pattern of a handler, such as echo', 'pattern');
    if (!isSendable(pattern)) return this.#complain('A browser cannot send this pattern: use another one', 'pattern');
    if (!Number.isInteger(times) || times < 1 || times > MAX_TIMES)
      return this.#complain(`Times must be a whole number from 1 to ${MAX_TIMES}`, 'times');
    const body = format === 'bytes' ? bytesOfHex(text) : jsonOf(text);
    if (body === undefined) {
      const expected =
        format === 'bytes' ? 'pairs of hexadecimal digits, such as 00 01 fe ff' : 'JSON, such as {"text":"Hi"}';
      return this.#complain(`The message must be ${expected}`, 'body');
    }
    if (kind === 'stream' && format === 'bytes')
      return this.#complain('A stream of this page takes JSON: choose JSON, or the kind Request', 'body');
    if (!this.#access.isReady) return this.#complain('This app needs its token: enter it at the top');
    this.#complain(undefined);
    return { pattern, times, kind, format, body, shown: format === 'bytes' ? body : text };
  }

  #complain(message, at) {
    for (const name of ['pattern', 'times', 'body'])
      this.#field(name).setAttribute('aria-invalid', String(name === at));
    this.#show(message ?? '', message !== undefined);
    if (at !== undefined) this.#field(at).focus();
  }

  #show(message, isBad = false) {
    this.#note.textContent = message;
    this.#note.dataset.kind = isBad ? 'bad' : 'plain';
  }

  async #runAll(call) {
    const begunMs = performance.now();
    const outcomes = { answered: 0, failed: 0, last: '' };
    let left = call.times;
    const worker = async () => {
      while (left > 0 && !call.signal.aborted) {
        left -= 1;
        outcomes[(await this.#runOne(call, outcomes)) ? 'answered' : 'failed'] += 1;
      }
    };
    await Promise.all(Array.from({ length: Math.min(call.times, CONCURRENT_CALLS) }, worker));
    if (call.times === 1) return this.#show(outcomes.last, outcomes.failed > 0 && !call.signal.aborted);
    const took = `${milliseconds(performance.now() - begunMs)} ms`;
    return this.#show(`${outcomes.answered} of ${call.times} answered in ${took}`, outcomes.failed > 0);
  }

  /** Returns whether the call succeeded. */
  async #runOne(call, outcomes) {
    const { pattern, kind, signal } = call;
    const begunMs = performance.now();
    const say = (type, text, className) => this.#said.add({ unixMs: Date.now(), type, text, className });
    say(`${kind} ${pattern}`, this.#textOf(call.shown), 'sent');
    try {
      if (kind === 'stream')
        for await (const value of stream(this.#access, call)) say(pattern, this.#textOf(value, true), 'received');
      else if (kind === 'event') await event(this.#access, call);
      else say(pattern, this.#textOf(await request(this.#access, call), true), 'received');
      const took = `${milliseconds(performance.now() - begunMs)} ms`;
      const verb = { request: 'Answered', event: 'Accepted', stream: 'Complete' }[kind];
      if (kind !== 'request') say(pattern, `${verb.toLowerCase()} after ${took}`, 'received');
      outcomes.last = `${verb} after ${took}`;
      return true;
    } catch (error) {
      const reason = this.#reasonOf(error, signal);
      say(pattern, reason, 'failed');
      outcomes.last = reason;
      return false;
    }
  }

  /** With LOG_MESSAGES=false only the code is shown: the text of a failure may be that of a handler. */
  #reasonOf(error, signal) {
    if (signal.aborted) return 'Cancelled by this page';
    if (this.#access.settings.showsMessages || !(error instanceof CallFailure)) return reasonOf(error);
    return `${error.code}, text not shown`;
  }

  /** With LOG_MESSAGES=false only the size is shown. */
  #textOf(value, isJson = false) {
    const text =
      value instanceof Uint8Array
        ? hexOf(value.subarray(0, MAX_SHOWN_CHARACTERS))
        : isJson
          ? JSON.stringify(value)
          : value;
    if (this.#access.settings.showsMessages) return shortened(text);
    return `${byteCount(value instanceof Uint8Array ? value.length : new TextEncoder().encode(text).length)}, not shown`;
  }
}

/** A browser takes `.` and `..` for steps in an address, even if they are percent-encoded. */
function isSendable(pattern) {
  return pattern !== '.' && pattern !== '..' && pattern.isWellFormed();
}

function jsonOf(text) {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
