import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './command.mjs';
import { explainEnd } from './explain-end.mjs';
import { call } from './http.mjs';
import { ROOT } from './tool.mjs';

const READY_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 50;
const POLL_TIMEOUT_MS = 2000;
const END_TIMEOUT_MS = 15_000; // the apps drain for up to 10 s

/** One of the two apps, as a child process. What it prints is held back until it is taken, or passed on. */
export class App {
  /** Resolves, and never rejects, when the process is gone and all that it printed is here. */
  ended;

  /** @readonly */
  #child;
  /** @readonly */
  #lines = [];
  /** @readonly */
  #listeners = new Set();
  #taken = 0;

  /**
   * @param {string} name - its folder in apps/
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(name, env) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--enable-source-maps', join(ROOT, 'apps', name, 'dist', 'main.js')], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C then comes through stop(), once, and not from the terminal as well.
      detached: process.platform !== 'win32',
    });
    const printed = [this.#read(this.#child.stdout, false), this.#read(this.#child.stderr, true)];
    const gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => resolve(error.code));
    });
    this.ended = Promise.all([gone, ...printed]).then(([how]) => how);
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  async #read(stream, isError) {
    for await (const text of createInterface({ input: stream })) {
      this.#lines.push({ text, isError });
      for (const listener of this.#listeners) listener(text);
    }
  }

  /** The lines that were not taken yet. */
  take() {
    const from = this.#taken;
    this.#taken = this.#lines.length;
    return this.#lines.slice(from);
  }

  /** Passes every line on that was not taken yet, from now on as soon as it is printed. */
  passOn() {
    const print = () => {
      for (const { text, isError } of this.take()) (isError ? console.error : console.log)(text);
    };
    print();
    this.#listeners.add(print);
  }

  /** Resolves as soon as it prints a line that `isWanted`. */
  printed(isWanted) {
    return new Promise((resolve) => {
      const listener = (text) => {
        if (!isWanted(text)) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  /** Rejects when it ends, with the one line of all that it printed that tells why. */
  async failWhenEnded() {
    const how = await this.ended;
    const errors = this.#lines.filter(({ isError }) => isError).map(({ text }) => text);
    throw new Failure(explainEnd(this.name, how, errors));
  }

  /** Resolves when its health endpoint says yes. */
  async ready(url, stop, headers = {}) {
    const late = AbortSignal.timeout(READY_TIMEOUT_MS);
    for (;;) {
      const answer = await call(url, { headers, timeoutMs: POLL_TIMEOUT_MS, stop }).catch((error) => error);
      if (answer.status === 200) return;
      stop.throwIfAborted();
      // 503 and no answer at all are what an app gives that still starts.
      if (answer.status !== undefined && answer.status !== 503) throw notReady(this.name, url, answer);
      if (late.aborted) throw notReady(this.name, url, answer);
      await delay(POLL_INTERVAL_MS, undefined, { signal: stop });
    }
  }

  /** Asks it to end and waits until it is gone. */
  async stop(signal) {
    const killed = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    this.#child.kill(signal);
    await this.ended;
    clearTimeout(killed);
  }
}

function notReady(name, url, { status, text, message }) {
  return new Failure(`The ${name} app does not get ready: ${url}: ${status ? `${status} ${text}` : message}`);
}
