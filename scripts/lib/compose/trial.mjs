import { call } from '../http.mjs';
import { expectTrue } from './checks.mjs';

export const START_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 10_000;
const LOG_TIMEOUT_MS = 5000;

/** The stack under test, and how to talk with it. */
export class Trial {
  /** @readonly */
  #stop;

  /**
   * @param {import('./stack.mjs').Stack} stack
   * @param {import('./checks.mjs').Checks} checks
   * @param {AbortSignal} stop
   */
  constructor(stack, checks, stop) {
    this.stack = stack;
    this.checks = checks;
    this.#stop = stop;
  }

  up() {
    return this.stack.run(['up', '-d'], START_TIMEOUT_MS);
  }

  /** The receipt of the first message that is answered: a service may still be starting. */
  firstReceipt() {
    return this.checks.until('no answer', START_TIMEOUT_MS, () => this.post('/messages').catch(() => undefined));
  }

  /** Resolves as soon as a line in the log of a service matches. */
  logged(service, pattern) {
    return this.checks.until(`the ${service} did not print ${pattern}`, LOG_TIMEOUT_MS, async () => {
      const isThere = (await this.stack.log(service)).some((line) => pattern.test(line));
      return isThere ? '' : undefined;
    });
  }

  get(path) {
    return call(`${this.stack.url}${path}`, { timeoutMs: ANSWER_TIMEOUT_MS, stop: this.#stop });
  }

  /** What came back, parsed. Anything but status 200 is a failure. */
  async post(path, value) {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
    const options = { method: 'POST', ...(value === undefined ? {} : json) };
    const answer = await call(`${this.stack.url}${path}`, {
      ...options,
      timeoutMs: ANSWER_TIMEOUT_MS,
      stop: this.#stop,
    });
    expectTrue(`${answer.status} ${answer.text}`, answer.status === 200);
    return JSON.parse(answer.text);
  }
}
