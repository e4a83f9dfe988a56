import { spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure.mjs';
import { call } from './http.mjs';
import { ROOT } from './tool.mjs';

const READY_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 50;
const POLL_TIMEOUT_MS = 2000;
const END_TIMEOUT_MS = 15_000; // the apps drain for up to 10 s
const WARNING = /^\(node:\d+\) |^\(Use `node --trace/;

/** One of the two apps, as a child process. Its output is held back until it is taken or passed on. */
export class App {
  /** @readonly */
  #child;
  /** @readonly */
  #closed;
  /** @readonly */
  #held = [];
  #isPassedOn = false;
  /** @readonly */
  #printed = new EventEmitter();

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
    this.#closed = once(this.#child, 'close');
    for (const [stream, print] of [
      [this.#child.stdout, console.log],
      [this.#child.stderr, console.error],
    ])
      createInterface({ input: stream }).on('line', (text) => this.#take({ text, print }));
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  #take(line) {
    if (this.#isPassedOn) line.print(line.text);
    else this.#held.push(line);
    this.#printed.emit('line', line.text);
  }

  /** Returns the lines that are held back, and forgets them. */
  take() {
    return this.#held.splice(0);
  }

  /** Passes every line on that is held back, and from now on each as soon as it is printed. */
  passOn() {
    this.#isPassedOn = true;
    for (const { text, print } of this.take()) print(text);
  }

  /** Resolves as soon as it prints a line that contains `wanted`. */
  async printed(wanted) {
    for await (const [text] of on(this.#printed, 'line')) if (text.includes(wanted)) return;
  }

  /** Rejects when it ends, and says why: in its own line if it could not start, else with all that it printed. */
  async failWhenEnded() {
    const [code, signal] = await this.#closed;
    const errors = this.#held.filter(({ text, print }) => print === console.error && !WARNING.test(text));
    if (code === 1 && errors.length === 1) throw new Failure(errors[0].text);
    if (!this.#child.killed) this.passOn();
    throw new Failure(`The ${this.name} app ended (${signal ?? `exit code ${code}`}): see its output, then try again.`);
  }

  /** Resolves when its health endpoint says yes. */
  async ready(url, stop, headers = {}) {
    const late = AbortSignal.timeout(READY_TIMEOUT_MS);
    for (;;) {
      const answer = await call(url, { headers, timeoutMs: POLL_TIMEOUT_MS, stop }).catch((error) => error);
      if (answer.status === 200) return;
      stop.throwIfAborted();
      // 503 and no answer at all are what an app gives that still starts.
      if (late.aborted || (answer.status ?? 503) !== 503) {
        const found = answer.status === undefined ? answer.message : `${answer.status} ${answer.text}`;
        throw new Failure(`The ${this.name} app is not ready: ${url} returned ${found}. See its log.`);
      }
      await delay(POLL_INTERVAL_MS, undefined, { signal: stop });
    }
  }

  /** Asks it to end and waits until it is gone. */
  async stop(signal) {
    const killed = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    this.#child.kill(signal);
    await this.#closed;
    clearTimeout(killed);
  }
}
