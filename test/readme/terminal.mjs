import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../scripts/lib/command.mjs';

const COMMAND_TIMEOUT_MS = 300_000;
const READY_TIMEOUT_MS = 300_000; // an image may have to be built first
const END_TIMEOUT_MS = 20_000;

/** A terminal: it stays in the folder that a command has changed to. */
export class Terminal {
  /** @readonly */
  #env;

  constructor(folder, env) {
    this.folder = folder;
    this.#env = env;
  }

  /**
   * Runs commands to their end.
   *
   * @returns {Promise<string>} Their output on stdout.
   */
  async run(script, stop) {
    const child = this.#spawn(`${script}\npwd >&3`, ['ignore', 'pipe', 'pipe', 'pipe']);
    const output = new Output(child);
    const folder = text(child.stdio[3]);
    const late = setTimeout(() => kill(child, 'SIGKILL'), COMMAND_TIMEOUT_MS);
    const end = () => kill(child, 'SIGTERM');
    stop.addEventListener('abort', end);
    const [code, signal] = await once(child, 'close');
    clearTimeout(late);
    stop.removeEventListener('abort', end);
    stop.throwIfAborted();
    if (code !== 0) throw new Failure(`ended with ${signal ?? `exit code ${code}`}:\n${output.all}`);
    this.folder = (await folder).trim();
    return output.stdout;
  }

  /** Starts commands that run until Ctrl-C; resolves when they have printed `ready`. */
  async start(script, ready, stop) {
    const child = this.#spawn(script, ['ignore', 'pipe', 'pipe']);
    const service = new Service(child);
    try {
      await service.printed(ready, AbortSignal.any([stop, AbortSignal.timeout(READY_TIMEOUT_MS)]));
      return service;
    } catch (error) {
      await service.kill();
      stop.throwIfAborted();
      throw error;
    }
  }

  #spawn(script, stdio) {
    // A process group of its own is what Ctrl-C reaches.
    return spawn('bash', ['-e', '-c', script], { cwd: this.folder, env: this.#env, stdio, detached: true });
  }
}

/** A command that runs until Ctrl-C. */
class Service {
  /** @readonly */
  #child;
  /** @readonly */
  #output;
  /** @readonly */
  #ended;

  constructor(child) {
    this.#child = child;
    this.#output = new Output(child);
    this.#ended = once(child, 'close').then(([code, signal]) => signal ?? code);
  }

  async printed(wanted, signal) {
    while (!this.#output.all.includes(wanted)) {
      const ended = await Promise.race([
        this.#ended.then((how) => ({ how })),
        once(this.#child.stdout, 'data', { signal }).catch(() => ({ how: 'without being ready in time' })),
      ]);
      if (ended.how !== undefined && !this.#output.all.includes(wanted))
        throw new Failure(`ended (${ended.how}) before it printed "${wanted}":\n${this.#output.all}`);
    }
  }

  /** Sends Ctrl-C. The command has to exit cleanly after that. */
  async interrupt() {
    kill(this.#child, 'SIGINT');
    const how = await Promise.race([this.#ended, delay(END_TIMEOUT_MS, undefined, { ref: false })]);
    if (![0, 130, 'SIGINT'].includes(how)) {
      await this.kill();
      throw new Failure(`did not end cleanly at Ctrl-C (${how ?? 'it ran on'}):\n${this.#output.all}`);
    }
  }

  async kill() {
    kill(this.#child, 'SIGTERM');
    const how = await Promise.race([this.#ended, delay(END_TIMEOUT_MS, undefined, { ref: false })]);
    if (how === undefined) kill(this.#child, 'SIGKILL');
  }
}

class Output {
  stdout = '';
  all = '';

  constructor({ stdout, stderr }) {
    stdout.setEncoding('utf8').on('data', (part) => {
      this.stdout += part;
      this.all += part;
    });
    stderr.setEncoding('utf8').on('data', (part) => (this.all += part));
  }
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
