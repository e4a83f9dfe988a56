import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Failure } from './failure.mjs';

const PROGRAM = 'nats-server';
const MISSING =
  `${PROGRAM} is not installed: install it (Debian and Ubuntu: apt-get install ${PROGRAM}, macOS: brew install ` +
  `${PROGRAM}), or set SEALWIRE_BROKER to the URL of a running one, such as nats://127.0.0.1:4222.`;
const READY_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 5000;

/** The `nats-server` of this machine, as a child process on a free port of 127.0.0.1. */
export class NatsServer {
  /** @readonly */
  #child;
  /** @readonly */
  #closed;

  /** @param {number} port */
  constructor(port) {
    this.url = `nats://127.0.0.1:${port}`;
    this.#child = spawn(PROGRAM, ['--addr', '127.0.0.1', '--port', String(port)], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }, // Debian installs it there
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: process.platform !== 'win32', // Ctrl-C comes through stop()
    });
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => undefined); // ready() reports it
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  /**
   * Resolves when it accepts connections.
   *
   * @param {AbortSignal} stop
   */
  static async start(stop) {
    const server = new NatsServer(await freePort());
    try {
      await server.#ready(AbortSignal.any([stop, AbortSignal.timeout(READY_TIMEOUT_MS)]));
      return server;
    } catch (error) {
      await server.stop();
      stop.throwIfAborted();
      throw error;
    }
  }

  async #ready(late) {
    const lines = [];
    const printed = new Promise((resolve) => {
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        lines.push(line);
        if (line.includes('Server is ready')) resolve();
      });
    });
    const aborted = once(late, 'abort');
    await Promise.race([printed, this.failWhenEnded(), aborted]).catch((error) => {
      throw error.code === 'ENOENT' ? new Failure(MISSING) : error;
    });
    if (!late.aborted) return;
    const found = lines.length === 0 ? 'it printed nothing' : `last line: ${lines.at(-1)}`;
    throw new Failure(`${PROGRAM} did not start in time (${found}): run ${PROGRAM} alone to see the reason.`);
  }

  /** Rejects when it ends. */
  async failWhenEnded() {
    const [code, signal] = await this.#closed;
    throw new Failure(`${PROGRAM} ended (${signal ?? `exit code ${code}`}): run ${PROGRAM} alone to see the reason.`);
  }

  /** Ends it and waits until it is gone. */
  async stop() {
    const killed = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    this.#child.kill('SIGTERM');
    await this.#closed.catch(() => undefined);
    clearTimeout(killed);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await once(server.close(), 'close');
  return port;
}
