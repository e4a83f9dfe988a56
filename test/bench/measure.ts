import type { Finished } from './workload.js';

/** What the client of a peer measured in one run. */
export interface ClientMeasure {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
}

/** What a process has used since it started. */
export interface Usage {
  readonly cpuMicros: number;
  readonly peakMemoryMiB: number;
}

/** One run of one workload on one peer. */
export interface Measure extends ClientMeasure {
  /** Of both processes together. */
  readonly cpuMicrosPerRequest: number;
}

/** A number with its spread over the rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function measureClient({ latenciesMs, elapsedMs }: Finished): ClientMeasure {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return {
    requests: sorted.length,
    requestsPerSecond: sorted.length / (elapsedMs / 1000),
    p50Micros: quantile(sorted, 0.5) * 1000,
    p99Micros: quantile(sorted, 0.99) * 1000,
  };
}

export function measureUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, peakMemoryMiB: process.resourceUsage().maxRSS / 1024 };
}

/** @returns undefined where there is nothing to summarize. */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  return { median: quantile(sorted, 0.5), min, max };
}

/** Between two values where no value lies exactly at `part`, so that an even number of rounds has a middle. */
export function quantile(sorted: readonly number[], part: number): number {
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
