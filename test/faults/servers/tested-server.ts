// The servers of a run. Each start of a server is a server object of its own, with a name of its own.
import { SealwireServer } from '@sealwire/transport';
import type { SealwireServerOptions } from '@sealwire/transport';

import { keyring, listen, portOf } from '../../support/pair.js';
import type { HandlerRun } from '../history/history.js';
import { addHandlers } from '../calls/work.js';

/** What a server did. Complete after its end. */
export interface ServerRecord {
  /** The handlers that have run. */
  readonly runs: readonly HandlerRun[];
  /** What went wrong in it. */
  readonly failures: readonly string[];
}

/** One start of a server. */
export interface TestedServer {
  readonly port: number;
  readonly record: ServerRecord;
  /** Drains. */
  stop(): Promise<void>;
  /** SIGKILL; a server of this process drains. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after a time. */
  freeze(ms: number): Promise<void>;
}

export type StartServer = (name: string, options: SealwireServerOptions) => Promise<TestedServer>;

/** @param log - Is called with the id of each call whose handler runs. */
export async function startInProcess(
  name: string,
  options: SealwireServerOptions,
  log?: (id: string) => void,
): Promise<TestedServer> {
  const runs: HandlerRun[] = [];
  const failures: string[] = [];
  const server = new SealwireServer({ port: 0, keyring, ...options });
  addHandlers(server, log ?? ((call) => runs.push({ call, server: name })));
  await listen(server);
  const stop = async (): Promise<void> => {
    await server.close();
    const { connections, strangers, inFlight } = server.snapshot();
    const left = { connections, strangers, inFlight };
    if (connections + strangers + inFlight > 0) failures.push(`${name} has left ${JSON.stringify(left)} after close()`);
  };
  const freeze = (): Promise<void> => Promise.resolve();
  return { port: portOf(server), record: { runs, failures }, stop, kill: stop, freeze };
}

/** A place of a server in a run: one server after the other, all behind the same proxies. */
export class ServerPlace {
  /** Of all servers so far. */
  readonly records: ServerRecord[] = [];
  readonly #name: string;
  readonly #options: SealwireServerOptions;
  readonly #start: StartServer;
  #current: TestedServer | undefined;
  /** The port of the last server; while none runs, no server listens there. */
  #port = 1;
  /** Servers that drain after another has taken their place. */
  readonly #draining = new Set<Promise<void>>();

  constructor(name: string, options: SealwireServerOptions, start: StartServer) {
    this.#name = name;
    this.#options = options;
    this.#start = start;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const server = await this.#start(`${this.#name}.${this.records.length}`, this.#options);
    this.records.push(server.record);
    this.#port = server.port;
    this.#current = server;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Starts the next server, which new connections reach, and drains the one before. */
  async replace(): Promise<void> {
    const before = this.#current;
    await this.start();
    if (before === undefined) return;
    const draining = before.stop();
    this.#draining.add(draining);
    void draining.finally(() => this.#draining.delete(draining));
  }

  async kill(): Promise<void> {
    await this.#current?.kill();
    await this.start();
  }

  async freeze(ms: number): Promise<void> {
    await this.#current?.freeze(ms);
  }

  async stop(): Promise<void> {
    await this.#current?.stop();
    this.#current = undefined;
    await Promise.all(this.#draining);
  }
}
