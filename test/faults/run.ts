// One run: the scenario of a seed, from the start of its servers to the check of what happened.
import { setTimeout as delay } from 'node:timers/promises';

import { SealwireClient } from '@sealwire/transport';

import { hashText, Random } from '../support/random.js';
import { keyring } from '../support/pair.js';
import { Caller } from './calls/caller.js';
import type { Sender } from './calls/caller.js';
import { check } from './history/checker.js';
import type { Finding } from './history/checker.js';
import { drawConnection } from './network/fault-plan.js';
import { FaultProxy } from './network/fault-proxy.js';
import type { Call, HandlerRun } from './history/history.js';
import { Residue } from './history/residue.js';
import type { Blow, ClientPlan, Scenario } from './scenario.js';
import { ServerPlace, startInProcess } from './servers/tested-server.js';
import type { StartServer } from './servers/tested-server.js';

export interface RunResult {
  readonly seed: number;
  readonly ms: number;
  readonly calls: readonly Call[];
  readonly runs: readonly HandlerRun[];
  /** How often each fault was injected, and each blow dealt. */
  readonly faults: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  /** What was left, or went wrong outside of the calls. */
  readonly failures: readonly string[];
}

export interface RunOptions {
  /** For servers in processes of their own. */
  readonly startProcess?: StartServer;
  /** Puts something between the callers and their clients. */
  readonly wrap?: (client: SealwireClient) => Sender;
}

/** How late a timer may be, besides what was measured; and a deadline of the transport moves by a second if it is late. */
const SLACK_MS = 2_500;
const LAGS = 3;
const LOOK_MS = 20;
/** Some of the last calls end in this time, without close(). */
const REST_MS = 300;

export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const startMs = performance.now();
  const residue = new Residue();
  const slackMs = (): number => SLACK_MS + LAGS * residue.maxLagMs;
  const run = new Run(scenario, options, slackMs);
  try {
    await run.play();
  } finally {
    await run.end();
  }
  const failures = [...run.failures, ...(await residue.end())];
  const { calls, runs } = run;
  const findings = check({ calls, runs, slackMs: slackMs() });
  return { seed: scenario.seed, ms: performance.now() - startMs, calls, runs, faults: run.faults, findings, failures };
}

interface Member {
  readonly client: SealwireClient;
  readonly caller: Caller;
  /** One to each of its servers. */
  readonly proxies: readonly FaultProxy[];
  readonly maxCloseMs: number;
}

function isIdle(client: SealwireClient): boolean {
  const { state, connections, inFlight, waiting } = client.snapshot();
  return state === 'idle' && connections + inFlight + waiting === 0;
}

class Run {
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  readonly #slackMs: () => number;
  readonly #servers: readonly ServerPlace[];
  readonly #members: Member[] = [];
  readonly #failures: string[] = [];
  readonly #blows = new Map<string, number>();
  /** What is being done to each server. */
  readonly #dealing = new Map<ServerPlace, Promise<void>>();
  /** After it no server restarts. */
  #endMs = 0;

  constructor(scenario: Scenario, options: RunOptions, slackMs: () => number) {
    this.#scenario = scenario;
    this.#options = options;
    this.#slackMs = slackMs;
    const start = scenario.hasProcesses ? (options.startProcess ?? startInProcess) : startInProcess;
    this.#servers = scenario.servers.map((server, index) => new ServerPlace(`s${index}`, server, start));
  }

  get calls(): readonly Call[] {
    return this.#members.flatMap(({ caller }) => caller.calls);
  }

  get runs(): readonly HandlerRun[] {
    return this.#servers.flatMap(({ records }) => records.flatMap(({ runs }) => runs));
  }

  get failures(): readonly string[] {
    return [...this.#failures, ...this.#servers.flatMap(({ records }) => records.flatMap(({ failures }) => failures))];
  }

  get faults(): ReadonlyMap<string, number> {
    const sum = new Map(this.#blows);
    for (const { injected } of this.#members.flatMap(({ proxies }) => proxies))
      for (const [kind, count] of injected) sum.set(kind, (sum.get(kind) ?? 0) + count);
    return sum;
  }

  async play(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.start()));
    for (const [index, plan] of this.#scenario.clients.entries()) await this.#addClient(index, plan);
    const stop = new AbortController();
    const calling = this.#members.map(({ caller }) => caller.run(stop.signal));
    await this.#strike();
    stop.abort();
    await Promise.all(calling);
    await Promise.all(this.#dealing.values());
    await delay(REST_MS);
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((member, index) => this.#close(member, index)));
    await Promise.all(this.#servers.map((server) => server.stop()));
    await Promise.all(this.#members.flatMap(({ proxies }) => proxies.map((proxy) => proxy.close())));
  }

  async #addClient(index: number, plan: ClientPlan): Promise<void> {
    const { seed } = this.#scenario;
    const proxies = await Promise.all(plan.servers.map((server) => this.#startProxy(index, server)));
    const servers = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    const client = new SealwireClient({ servers, keyring, ...plan.options });
    const random = new Random(seed, hashText('calls'), index);
    const sender = this.#options.wrap?.(client) ?? client;
    const caller = new Caller(`c${index}`, sender, random, plan.options);
    const { drainMs = 0, closeMs = 0 } = plan.options.timeouts ?? {};
    this.#members.push({ client, caller, proxies, maxCloseMs: drainMs + closeMs });
  }

  #startProxy(client: number, server: number): Promise<FaultProxy> {
    const { seed, harshness } = this.#scenario;
    return FaultProxy.start(
      () => this.#servers[server]?.port ?? 0,
      (connection) => drawConnection(new Random(seed, hashText('connection'), client, server, connection), harshness),
    );
  }

  /** Deals the blows of the scenario. Those to one server come one after the other, as a start takes a time. */
  async #strike(): Promise<void> {
    const endMs = (this.#endMs = performance.now() + this.#scenario.durationMs);
    for (const { pauseMs, blow } of this.#scenario.blows) {
      await delay(Math.max(0, Math.min(pauseMs, endMs - performance.now())));
      if (performance.now() >= endMs) return;
      this.#deal(blow);
    }
    await delay(Math.max(0, endMs - performance.now()));
  }

  #deal(blow: Blow): void {
    switch (blow.kind) {
      case 'cut':
      case 'reset':
        for (const proxy of this.#members[blow.at]?.proxies ?? []) proxy.cut(blow.kind);
        return;
      case 'stall':
        for (const proxy of this.#members[blow.at]?.proxies ?? []) proxy.stall(blow.ms);
        return;
      case 'restart':
      case 'replace':
      case 'kill':
        return this.#dealServer(blow, (server) => server[blow.kind]());
      case 'freeze':
        return this.#dealServer(blow, (server) => server.freeze(blow.ms));
    }
  }

  #dealServer({ kind, at }: Blow, deal: (server: ServerPlace) => Promise<void>): void {
    const server = this.#servers[at];
    if (server === undefined) return;
    const before = this.#dealing.get(server) ?? Promise.resolve();
    this.#dealing.set(
      server,
      before.then(() => {
        if (performance.now() >= this.#endMs) return undefined;
        this.#blows.set(kind, (this.#blows.get(kind) ?? 0) + 1);
        return deal(server);
      }),
    );
  }

  async #close({ client, maxCloseMs }: Member, index: number): Promise<void> {
    const startMs = performance.now();
    await client.close();
    const ms = Math.round(performance.now() - startMs);
    if (ms > maxCloseMs + this.#slackMs())
      this.#failures.push(`close() of client ${index} took ${ms} ms, more than ${maxCloseMs} ms`);
    const untilMs = startMs + maxCloseMs + this.#slackMs();
    while (!isIdle(client) && performance.now() < untilMs) await delay(LOOK_MS); // a dial may end in a close of its own
    if (!isIdle(client))
      this.#failures.push(`after close() client ${index} has left ${JSON.stringify(client.snapshot())}`);
  }
}
