import { join } from 'node:path';
import { Failure } from '../command.mjs';
import { ROOT } from '../tool.mjs';
import { runGroup } from './run-group.mjs';

const COMMANDS = [['docker', 'compose'], ['docker-compose']];
const COMMAND_TIMEOUT_MS = 90_000;
const MAX_REASON_CHARACTERS = 160;

/** The stack of docker-compose.yml under a project name of its own: no other stack is touched. */
export class Stack {
  /** @readonly */
  #command;
  /** @readonly */
  #env;
  /** @readonly */
  #stop;

  /**
   * @param {readonly string[]} compose - the command of Compose
   * @param {number} port - of the host, for the trigger
   * @param {AbortSignal} stop - ends every command but `remove()`
   */
  constructor(compose, port, stop) {
    this.#command = [...compose, '-f', join(ROOT, 'docker-compose.yml'), '-p', `sealwire-test-${process.pid}`];
    // All of them, so that nothing else in the environment or in .env decides what is tested.
    const settings = { HTTP_PORT: String(port), HTTP_TOKEN: '', LOG_FORMAT: 'pretty', LOG_MESSAGES: 'true' };
    this.#env = { ...process.env, ...settings };
    this.#stop = stop;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** How a command ends that may fail. */
  attempt(args, timeoutMs = COMMAND_TIMEOUT_MS, stop = this.#stop) {
    return runGroup([...this.#command, ...args], this.#env, timeoutMs, stop);
  }

  /** What a command prints that must not fail. */
  async run(args, timeoutMs = COMMAND_TIMEOUT_MS) {
    const ended = await this.attempt(args, timeoutMs);
    if (ended.code !== 0) throw new Failure(`compose ${args[0]} failed: ${reasonOf(ended)}`);
    return ended.stdout;
  }

  /** What a service has printed so far. */
  async log(service) {
    const text = await this.run(['logs', '--no-color', '--no-log-prefix', service]);
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('Attaching to '));
  }

  /** Stops and removes everything that belongs to the project, also when the rest was stopped. */
  async remove() {
    const args = ['down', '--volumes', '--remove-orphans', '--rmi', 'local'];
    const ended = await this.attempt(args, COMMAND_TIMEOUT_MS, new AbortController().signal);
    if (ended.code === 0) return;
    throw new Failure(`Not all is removed: ${reasonOf(ended)} - run \`${[...this.#command, ...args].join(' ')}\``);
  }
}

/**
 * The Compose command that COMPOSE names, or else the first that is here and finds its engine running.
 *
 * @param {AbortSignal} stop
 * @returns {Promise<readonly string[]>}
 */
export async function findCompose(stop) {
  const named = process.env.COMPOSE?.split(' ').filter((word) => word !== '') ?? [];
  const reasons = [];
  for (const compose of named.length > 0 ? [named] : COMMANDS) {
    const missing = (await runGroup([...compose, 'version'], process.env, COMMAND_TIMEOUT_MS, stop)).code !== 0;
    const ended = missing ? undefined : await new Stack(compose, 0, stop).attempt(['ps', '-q']);
    if (ended?.code === 0) return compose;
    reasons.push(`${compose.join(' ')}: ${ended === undefined ? 'not installed' : reasonOf(ended)}`);
  }
  const advice = 'start Docker, or name a Compose command in COMPOSE';
  throw new Failure(`No container engine is reachable, ${advice} (${reasons.join('; ')}).`);
}

/** The last line that a command printed before it failed. */
function reasonOf({ code, stdout, stderr }) {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? `exit code ${code}`).trim().slice(0, MAX_REASON_CHARACTERS);
}
