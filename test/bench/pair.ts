import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ask } from './ask.js';
import { addUsages, measureCpu, type BothEnds, type Measure, type Usage } from './measure.js';
import type { Broker, Peer, Setting } from './peer.js';
import type { RunningPair } from './rounds.js';
import { deadlineMs, type Workload } from './workload.js';

const PROCESS_FILE = fileURLToPath(new URL('peer-process.js', import.meta.url));
const START_DEADLINE_MS = 30_000;
const USAGE_DEADLINE_MS = 10_000;
const EXIT_DEADLINE_MS = 2000;
/** Opened before memory is looked at, so that what is loaded once is not counted as memory of a connection. */
const WARM_UP_CONNECTIONS = 100;

/** The server processes and the client process of one peer, connected. */
export class Pair implements RunningPair {
  readonly #servers: readonly ChildProcess[];
  readonly #client: ChildProcess;
  readonly #broker: Broker | undefined;

  private constructor(peer: Peer, broker: Broker | undefined, profileFolder: string | undefined) {
    this.#broker = broker;
    const start = (end: 'server' | 'client'): ChildProcess => {
      const execArgv = [...process.execArgv, '--expose-gc', ...profileArguments(`${peer.name}-${end}`, profileFolder)];
      return fork(PROCESS_FILE, { execArgv });
    };
    this.#servers = Array.from({ length: peer.servers ?? 1 }, () => start('server'));
    this.#client = start('client');
  }

  /** @param profileFolder - Where both processes write a CPU profile when they end. */
  static async start(peer: Peer, setting: Setting, profileFolder?: string): Promise<Pair> {
    const broker = await peer.startBroker?.();
    const pair = new Pair(peer, broker, profileFolder);
    try {
      const behind = broker === undefined ? {} : { brokerPort: broker.port };
      const serve = { ask: 'serve', peer: peer.name, setting, ...behind } as const;
      const served = await Promise.all(pair.#servers.map((server) => ask(server, serve, START_DEADLINE_MS)));
      const ports = served.map(({ port }) => port);
      await ask(pair.#client, { ask: 'connect', peer: peer.name, setting, ports }, START_DEADLINE_MS);
      return pair;
    } catch (error) {
      await pair.end();
      throw error;
    }
  }

  async run(workload: Workload, durationMs: number): Promise<Measure> {
    return workload.kind === 'idle' ? this.#runIdle(workload) : this.#runTimed(workload, durationMs);
  }

  async #runTimed(workload: Workload, durationMs: number): Promise<Measure> {
    const before = await this.#usage();
    const command = { ask: 'run', workload, durationMs } as const;
    const { units, figures } = await ask(this.#client, command, deadlineMs(workload, durationMs));
    return { ...figures, ...measureCpu(workload, units, before, await this.#usage()) };
  }

  async #runIdle(workload: Workload & { readonly kind: 'idle' }): Promise<Measure> {
    await this.#runTimed({ ...workload, connections: WARM_UP_CONNECTIONS }, 0);
    const before = await this.#heldKiB();
    const measure = await this.#runTimed(workload, 0);
    const after = await this.#heldKiB();
    return {
      ...measure,
      server_kib_per_connection: (after.server - before.server) / workload.connections,
      client_kib_per_connection: (after.client - before.client) / workload.connections,
    };
  }

  async peakMemoryMiB(): Promise<BothEnds<number>> {
    const { server, client } = await this.#usage();
    return { server: server.peakMemoryMiB, client: client.peakMemoryMiB };
  }

  /** All processes are gone when this resolves. */
  async end(): Promise<void> {
    await Promise.all([...this.#servers, this.#client].map(endProcess));
    this.#broker?.close();
  }

  /** A broker counts as a part of the server. */
  async #usage(): Promise<BothEnds<Usage>> {
    const { servers, client } = await this.#all((child) => ask(child, { ask: 'usage' }, USAGE_DEADLINE_MS));
    return { server: addUsages(this.#broker === undefined ? servers : [...servers, this.#broker.usage()]), client };
  }

  async #heldKiB(): Promise<BothEnds<number>> {
    const { servers, client } = await this.#all((child) => ask(child, { ask: 'held-kib' }, USAGE_DEADLINE_MS));
    return { server: servers.reduce((sum, held) => sum + held, 0), client };
  }

  async #all<T>(askOne: (child: ChildProcess) => Promise<T>): Promise<{ servers: readonly T[]; client: T }> {
    const [servers, client] = await Promise.all([Promise.all(this.#servers.map(askOne)), askOne(this.#client)]);
    return { servers, client };
  }
}

let profiles = 0;

function profileArguments(name: string, folder: string | undefined): readonly string[] {
  if (folder === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}-${++profiles}.cpuprofile`];
}

/** A process ends by itself when it loses us, and writes its profile then; one that hangs does not. */
async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  const deadline = setTimeout(() => child.kill('SIGKILL'), EXIT_DEADLINE_MS);
  if (child.connected) child.disconnect();
  await exit;
  clearTimeout(deadline);
}
