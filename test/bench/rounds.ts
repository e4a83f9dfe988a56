import type { Progress } from '#scripts/progress.mjs';
import type { Group } from './groups.js';
import type { BothEnds, Measure } from './measure.js';
import type { Peer, Secrets, Setting } from './peer.js';
import { nameOf, type Workload } from './workload.js';

/** The two ends of one peer, connected. */
export interface RunningPair {
  /** Rejects when the run fails, or has not ended when its deadline is over. */
  run(workload: Workload, durationMs: number): Promise<Measure>;
  /** The most memory that each end has held at one time, in MiB. */
  peakMemoryMiB(): Promise<BothEnds<number>>;
  end(): Promise<void>;
}

/** @param profileFolder - Where both ends write a CPU profile. */
export type StartPair = (peer: Peer, setting: Setting, profileFolder?: string) => Promise<RunningPair>;

export interface Plan {
  readonly rounds: number;
  readonly runMs: number;
  readonly warmUpMs: number;
  /** What is connected and closed before connecting is measured. */
  readonly warmUpConnections: number;
  /** Where every process writes a CPU profile. */
  readonly profileFolder?: string | undefined;
}

/** What the rounds run with. */
export interface Setup {
  readonly secrets: Secrets;
  readonly startPair: StartPair;
  readonly progress: Pick<Progress, 'show'>;
}

/** All that happened to one peer. */
export interface PeerResult {
  readonly peer: string;
  /** By the name of the workload; one entry a round, undefined where that round gave none. */
  readonly measures: ReadonlyMap<string, readonly (Measure | undefined)[]>;
  /** By the name of the workload: why it was given up. */
  readonly failures: ReadonlyMap<string, string>;
  readonly peakMemoryMiB: BothEnds<number> | undefined;
}

/**
 * Runs every workload on every peer in turn, round after round, so that whatever else the machine does meets all of them
 * alike. The pairs live on between the rounds, warm.
 */
export async function runRounds(
  group: Group,
  plan: Plan,
  { secrets, startPair, progress }: Setup,
): Promise<readonly PeerResult[]> {
  const setting = { secrets, limits: group.limits };
  const rounds = Math.min(plan.rounds, group.maxRounds ?? plan.rounds);
  const contestants = group.peers.map((peer) => new Contestant(peer, setting, plan, startPair));
  const show = (step: string, { name }: Contestant, workload: Workload): void =>
    progress.show(`${group.name}, ${step}: ${name} ${nameOf(workload)}`);
  try {
    for (const contestant of contestants) {
      for (const workload of group.workloads) {
        show('warm-up', contestant, workload);
        await contestant.warmUp(workload);
      }
    }
    for (let round = 1; round <= rounds; round++) {
      for (const workload of group.workloads) {
        for (const contestant of contestants) {
          show(`round ${round} of ${rounds}`, contestant, workload);
          await contestant.run(workload);
        }
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
  readonly #setting: Setting;
  readonly #plan: Plan;
  readonly #startPair: StartPair;
  readonly #measures = new Map<string, (Measure | undefined)[]>();
  readonly #failures = new Map<string, string>();
  #pair: RunningPair | undefined;

  constructor(peer: Peer, setting: Setting, plan: Plan, startPair: StartPair) {
    this.#peer = peer;
    this.#setting = setting;
    this.#plan = plan;
    this.#startPair = startPair;
  }

  get name(): string {
    return this.#peer.name;
  }

  async warmUp(workload: Workload): Promise<void> {
    // What needs new processes is never warm.
    if (needsNewProcesses(workload)) return;
    // The code that connects runs seldom, and takes thousands of connections until it is compiled as well as it will be.
    if (workload.kind === 'connect') await this.#attempt({ ...workload, connections: this.#plan.warmUpConnections }, 0);
    else await this.#attempt(workload, this.#plan.warmUpMs);
  }

  async run(workload: Workload): Promise<void> {
    const measures = this.#measures.get(nameOf(workload)) ?? [];
    this.#measures.set(nameOf(workload), measures);
    measures.push(await this.#attempt(workload, this.#plan.runMs));
  }

  async #attempt(workload: Workload, durationMs: number): Promise<Measure | undefined> {
    if (this.#failures.has(nameOf(workload))) return undefined;
    try {
      this.#pair ??= await this.#startPair(this.#peer, this.#setting, this.#plan.profileFolder);
      const measure = await this.#pair.run(workload, durationMs);
      if (needsNewProcesses(workload)) await this.leave();
      return measure;
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
    await pair?.end();
  }
}

/** Held connections stay, and a heap that has grown does not shrink. */
function needsNewProcesses({ kind }: Workload): boolean {
  return kind === 'idle';
}
