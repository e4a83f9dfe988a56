/** What a workload gave. */
export interface Outcome {
  /** How many of what it counts. */
  readonly units: number;
  /** From the start to the last answer. */
  readonly elapsedMs: number;
  /** Of everything that was waited for by itself, in the order of the answers; empty where nothing was. */
  readonly latenciesMs: readonly number[];
  /** What only this workload measures. */
  readonly beside?: { readonly idleLatenciesMs: readonly number[]; readonly transferMs: number };
}
