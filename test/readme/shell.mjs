import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../scripts/lib/failure.mjs';

const COMMAND_TIMEOUT_MS = 300_000;
const READY_TIMEOUT_MS = 300_000; // an image may have to be built first
const END_TIMEOUT_MS = 20_000;

/** Commands in a shell. It has a process group of its own, which is what Ctrl-C in a terminal reaches. */
export class Shell {
  stdout = '';
  /** Of stdout and stderr. */
  output = '';
  /** @readonly */
  #child;
  /** @readonly Resolves with the exit code or the signal. */
  #ended;

  constructor(script, folder, env) {
    const stdio = ['ignore', 'pipe', 'pipe'];
    this.#child = spawn('bash', ['-e', '-c', script], { cwd: folder, env, stdio, detached: true });
    for (const name of ['stdout', 'stderr'])
      this.#child[name].setEncoding('utf8').on('data', (part) => {
        this.output += part;
        if (name === 'stdout') this.stdout += part;
      });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => signal ?? code);
  }

  /** Resolves with the output on stdout when all commands have ended, without a failure and in time. */
  async succeeded(stop) {
    const limit = AbortSignal.any([stop, AbortSignal.timeout(COMMAND_TIMEOUT_MS)]);
    const end = () => void this.end('SIGTERM');
    limit.addEventListener('abort', end);
    const how = await this.#ended;
    limit.removeEventListener('abort', end);
    stop.throwIfAborted();
    if (how !== 0) throw new Failure(`ended with ${limit.aborted ? 'no result in time' : how}:\n${this.output}`);
    return this.stdout;
  }

  /** Resolves when the commands, which run until Ctrl-C, have printed `wanted`. */
  async printed(wanted, stop) {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(READY_TIMEOUT_MS)]);
    while (!this.output.includes(wanted)) {
      const how = await Promise.race([
        this.#ended,
        once(this.#child.stdout, 'data', { signal }).catch(() => 'without being ready in time'),
      ]);
      stop.throwIfAborted();
      if (!Array.isArray(how) && !this.output.includes(wanted))
        throw new Failure(`ended (${how}) before it printed "${wanted}":\n${this.output}`);
    }
  }

  /** Sends Ctrl-C, at which the commands have to end cleanly. */
  async interrupt() {
    const how = await this.end('SIGINT');
    if (![0, 130, 'SIGINT'].includes(how))
      throw new Failure(`did not end cleanly at Ctrl-C (${how ?? 'it ran on'}):\n${this.output}`);
  }

  /** @returns How the commands ended; undefined if that took SIGKILL. */
  async end(signal) {
    this.#signal(signal);
    const how = await Promise.race([this.#ended, delay(END_TIMEOUT_MS, undefined, { ref: false })]);
    if (how === undefined) this.#signal('SIGKILL');
    return how;
  }

  #signal(signal) {
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // it ended just now
    }
  }
}
