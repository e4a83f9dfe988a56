import type { Measure } from './measure.js';
import { Pair } from './pair.js';
import type { Peer, Secrets } from './peer.js';
import { nameOf, type Workload } from './workload.js';

export interface Plan {
  readonly peers: readonly Peer[];
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly runMs: number;
  readonly warmUpMs: number;
}

/** All that happened to one peer. */
export interface PeerResult {
  readonly peer: string;
  /** By the name of the workload; one entry a round, undefined where that round gave none. */
  readonly measures: ReadonlyMap<string, readonly (Measure | undefined)[]>;
  /** By the name of the workload: why it was given up. */
  readonly failures: ReadonlyMap<string, string>;
  readonly peakMemoryMiB: { readonly server: number; readonly client: number } | undefined;
}

/**
 * Runs every workload on every peer in turn, round after round, so that whatever else the machine does meets all of them
 * alike. The processes live on between the rounds, warm.
 */
export async function runRounds(plan: Plan, secrets: Secrets): Promise<readonly PeerResult[]> {
  const contestants = plan.peers.map((peer) => new Contestant(peer, secrets));
  try {
    for (const contestant of contestants) {
      for (const workload of plan.workloads) await contestant.warmUp(workload, plan.warmUpMs);
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const workload of plan.workloads) {
        for (const contestant of contestants) await contestant.run(workload, plan.runMs);
      }
    }
    return await Promise.all(contestants.map((contestant) => contestant.result()));
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.leave()));
  }
}

/** A peer in the rounds. A workload that failed once is given up; the others go on in new processes. */
class Contestant {
  readonly #peer: Peer;
  readonly #secrets: Secrets;
  readonly #measures = new Map<string, (Measure | undefined)[]>();
  readonly #failures = new Map<string, string>();
  #pair: Pair | undefined;

  constructor(peer: Peer, secrets: Secrets) {
    this.#peer = peer;
    this.#secrets = secrets;
  }

  async warmUp(workload: Workload, durationMs: number): Promise<void> {
    await this.#attempt(workload, durationMs);
  }

  async run(workload: Workload, durationMs: number): Promise<void> {
    const measures = this.#measures.get(nameOf(workload)) ?? [];
    this.#measures.set(nameOf(workload), measures);
    measures.push(await this.#attempt(workload, durationMs));
  }

  async #attempt(workload: Workload, durationMs: number): Promise<Measure | undefined> {
    if (this.#failures.has(nameOf(workload))) return undefined;
    try {
      this.#pair ??= await Pair.start(this.#peer, this.#secrets);
      return await this.#pair.run(workload, durationMs);
    } catch (error) {
      this.#failures.set(nameOf(workload), error instanceof Error ? error.message : String(error));
      await this.leave();
      return undefined;
    }
  }

  async result(): Promise<PeerResult> {
    return {
      peer: this.#peer.name,
      measures: this.#measures,
      failures: this.#failures,
      peakMemoryMiB: await this.#pair?.peakMemoryMiB(),
    };
  }

  async leave(): Promise<void> {
    const pair = this.#pair;
    this.#pair = undefined;
    await pair?.kill();
  }
}
