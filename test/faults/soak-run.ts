// Many calls of a few clients to a few servers, with lost connections and rolling restarts in between.
import { SealwireClient, TransportError } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';

import { keyring } from '../support/pair.js';
import { Random } from '../support/random.js';
import { memoryBytes } from './memory.js';
import { UNHARMED } from './network/fault-plan.js';
import { FaultProxy } from './network/fault-proxy.js';
import { ServerPlace, startInProcess } from './servers/tested-server.js';

export interface SoakOptions {
  readonly calls: number;
  readonly seed: number;
  /** A connection is lost, or a server restarts, once in this number of calls. */
  readonly callsPerBlow: number;
  /** Called after each tenth of the calls. */
  readonly onTenth: (tenth: Tenth) => void;
}

/** A tenth of the calls. */
export interface Tenth {
  readonly calls: number;
  readonly ms: number;
  /** The mean of some measurements, each after a garbage collection. */
  readonly memoryBytes: number;
}

export interface SoakResult {
  readonly tenths: readonly Tenth[];
  readonly ms: number;
  readonly requests: number;
  readonly events: number;
  /** Failed calls by code. */
  readonly failed: ReadonlyMap<string, number>;
  /** Cuts, resets and restarts. */
  readonly blows: ReadonlyMap<string, number>;
  /** The number of connections that the clients made. */
  readonly connections: number;
  readonly findings: readonly string[];
}

const SERVERS = 3;
const CLIENTS = 3;
/** Calls of one client that are in flight at the same time. */
const AT_ONCE = 32;
const SAMPLES_PER_TENTH = 5;
const MAX_FINDINGS = 20;
const BLOWS = ['cut', 'reset', 'replace', 'restart'] as const;
const TIMEOUTS = { waitForConnectionMs: 20_000, drainMs: 2_000, closeMs: 300 };

/** The end of a call: one byte for each of a million. */
const PENDING = 0;
const DONE = 1;
const SENT = 2;
const UNSENT = 3;

export class Soak {
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #servers: readonly ServerPlace[];
  readonly #clients: SealwireClient[] = [];
  /** Of each client. */
  readonly #proxies: (readonly FaultProxy[])[] = [];
  readonly #ends: Uint8Array;
  /** How often the handler of each call has run. */
  readonly #runs: Uint8Array;
  readonly #failed = new Map<string, number>();
  readonly #blows = new Map<string, number>();
  readonly #findings: string[] = [];
  #next = 0;
  #ended = 0;
  #samples: number[] = [];
  #working: Promise<void> = Promise.resolve();

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#ends = new Uint8Array(options.calls);
    this.#runs = new Uint8Array(options.calls);
    const log = (id: string): void => this.#noteRun(Number(id));
    this.#servers = Array.from(
      { length: SERVERS },
      (_, index) =>
        new ServerPlace(`s${index}`, { timeouts: TIMEOUTS }, (name, server) => startInProcess(name, server, log)),
    );
  }

  async run(): Promise<SoakResult> {
    const startMs = performance.now();
    await Promise.all(this.#servers.map((server) => server.start()));
    for (let index = 0; index < CLIENTS; index++) await this.#addClient();
    const tenths: Tenth[] = [];
    for (let tenth = 0; tenth < 10; tenth++) tenths.push(await this.#runTenth(tenth));
    const connections = this.#clients.reduce((sum, client) => sum + client.snapshot().connected, 0);
    await this.#end();
    this.#check();
    const { calls } = this.#options;
    return {
      tenths,
      ms: performance.now() - startMs,
      requests: Math.ceil(calls / 2),
      events: Math.floor(calls / 2),
      failed: this.#failed,
      blows: this.#blows,
      connections,
      findings: this.#findings,
    };
  }

  async #addClient(): Promise<void> {
    const start = (server: ServerPlace): Promise<FaultProxy> =>
      FaultProxy.start(
        () => server.port,
        () => UNHARMED,
      );
    const proxies = await Promise.all(this.#servers.map(start));
    this.#proxies.push(proxies);
    const servers = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    this.#clients.push(new SealwireClient({ servers, keyring, redial: { minMs: 1, maxMs: 100 }, timeouts: TIMEOUTS }));
  }

  async #runTenth(tenth: number): Promise<Tenth> {
    const startMs = performance.now();
    const until = Math.round((this.#options.calls * (tenth + 1)) / 10);
    const calls = until - this.#next;
    this.#samples = [];
    for (let sample = 1; sample <= SAMPLES_PER_TENTH; sample++) {
      await this.#callUntil(until - Math.round((calls * (SAMPLES_PER_TENTH - sample)) / SAMPLES_PER_TENTH));
      this.#samples.push(await memoryBytes());
    }
    const mean = this.#samples.reduce((sum, bytes) => sum + bytes, 0) / this.#samples.length;
    const result = { calls, ms: performance.now() - startMs, memoryBytes: mean };
    this.#options.onTenth(result);
    return result;
  }

  /** Makes the calls up to this number, and waits for their ends and for the servers that restart meanwhile. */
  async #callUntil(until: number): Promise<void> {
    const work = async (client: SealwireClient): Promise<void> => {
      while (this.#next < until) await this.#call(client, this.#next++);
    };
    await Promise.all(this.#clients.flatMap((client) => Array.from({ length: AT_ONCE }, () => work(client))));
    await this.#working;
  }

  async #call(client: SealwireClient, number: number): Promise<void> {
    const id = String(number);
    try {
      if (number % 2 === 0) {
        const answer = await lastValueFrom(client.send<string>('value', { id }));
        if (answer !== `${id}!`) this.#find(`request ${id} was answered with ${answer}`);
      } else {
        await lastValueFrom(client.emit('event', { id }), { defaultValue: undefined });
      }
      this.#ends[number] = DONE;
    } catch (error) {
      this.#noteFailure(number, error);
    }
    this.#ended += 1;
    if (this.#ended % this.#options.callsPerBlow === 0) this.#working = this.#working.then(() => this.#strike());
  }

  async #strike(): Promise<void> {
    const blow = this.#random.pick(BLOWS);
    const at = this.#random.below(SERVERS);
    this.#blows.set(blow, (this.#blows.get(blow) ?? 0) + 1);
    if (blow === 'cut' || blow === 'reset') this.#proxies[at]?.forEach((proxy) => proxy.cut(blow));
    else await this.#servers[at]?.[blow]();
  }

  #noteRun(number: number): void {
    const runs = (this.#runs[number] ?? 0) + 1;
    this.#runs[number] = runs;
    if (runs > 1) this.#find(`call ${number} ran ${runs} times`);
  }

  #noteFailure(number: number, error: unknown): void {
    const isKnown = error instanceof TransportError && error.sent !== undefined;
    if (!isKnown) this.#find(`call ${number} failed with ${String(error)}`);
    const sent = !isKnown || error.sent;
    this.#ends[number] = sent ? SENT : UNSENT;
    const name = isKnown ? `${error.code} (sent: ${sent})` : 'unknown';
    this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1);
  }

  async #end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#servers.map((server) => server.stop()));
    await Promise.all(this.#proxies.flat().map((proxy) => proxy.close()));
    for (const failure of this.#servers.flatMap(({ records }) => records.flatMap(({ failures }) => failures)))
      this.#find(failure);
  }

  #check(): void {
    for (const [number, end] of this.#ends.entries()) {
      const runs = this.#runs[number] ?? 0;
      if (end === PENDING) this.#find(`call ${number} never ended`);
      if (end === DONE && runs !== 1) this.#find(`call ${number} succeeded and ran ${runs} times`);
      if (end === UNSENT && runs !== 0) this.#find(`call ${number} failed with sent: false and ran ${runs} times`);
    }
  }

  #find(what: string): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(what);
  }
}
