import { UNIT_OF, type Unit, type Workload } from './workload.js';
import type { Outcome } from './work/outcome.js';

/** The name of a number that was measured, its unit last. */
export type Figure =
  | `${Unit}s_per_s`
  | 'p50_us'
  | 'p99_us'
  | 'idle_p99_us'
  | 'added_p99_us'
  | 'transfer_ms'
  | `${'' | 'server_' | 'client_'}cpu_us_per_${Unit}`
  | `${'server' | 'client'}_kib_per_connection`;

/** One run of one workload on one peer. */
export type Measure = Readonly<Partial<Record<Figure, number>>>;

/** What the client of a peer measured in one run. */
export interface ClientMeasure {
  readonly units: number;
  readonly figures: Measure;
}

/** What a process has used since it started. */
export interface Usage {
  readonly cpuMicros: number;
  readonly peakMemoryMiB: number;
}

/** Of both ends of a peer. */
export interface BothEnds<T> {
  readonly server: T;
  readonly client: T;
}

/** A number with its spread over the rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function measureClient({ kind }: Workload, outcome: Outcome): ClientMeasure {
  const { units, elapsedMs, latenciesMs, beside } = outcome;
  if (beside !== undefined) return { units, figures: measureBeside(latenciesMs, beside) };
  return {
    units,
    figures: { [`${UNIT_OF[kind]}s_per_s`]: units / (elapsedMs / 1000), ...measureLatencies(latenciesMs) },
  };
}

function measureLatencies(latenciesMs: readonly number[]): Measure {
  if (latenciesMs.length === 0) return {};
  return { p50_us: quantileMicros(latenciesMs, 0.5), p99_us: quantileMicros(latenciesMs, 0.99) };
}

function measureBeside(latenciesMs: readonly number[], beside: NonNullable<Outcome['beside']>): Measure {
  const [idle, busy] = [quantileMicros(beside.idleLatenciesMs, 0.99), quantileMicros(latenciesMs, 0.99)];
  return { idle_p99_us: idle, p99_us: busy, added_p99_us: busy - idle, transfer_ms: beside.transferMs };
}

function quantileMicros(latenciesMs: readonly number[], part: number): number {
  return (
    quantile(
      latenciesMs.toSorted((a, b) => a - b),
      part,
    ) * 1000
  );
}

/** Of both processes together, and of each. */
export function measureCpu(
  { kind }: Workload,
  units: number,
  before: BothEnds<Usage>,
  after: BothEnds<Usage>,
): Measure {
  // What the transfer takes is not work for the few requests beside it.
  if (kind === 'beside') return {};
  const unit = UNIT_OF[kind];
  const server = (after.server.cpuMicros - before.server.cpuMicros) / units;
  const client = (after.client.cpuMicros - before.client.cpuMicros) / units;
  return {
    [`cpu_us_per_${unit}`]: server + client,
    [`server_cpu_us_per_${unit}`]: server,
    [`client_cpu_us_per_${unit}`]: client,
  };
}

export function measureUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, peakMemoryMiB: process.resourceUsage().maxRSS / 1024 };
}

/** Of several processes together. */
export function addUsages(usages: readonly Usage[]): Usage {
  const add = (one: Usage, other: Usage): Usage => ({
    cpuMicros: one.cpuMicros + other.cpuMicros,
    peakMemoryMiB: one.peakMemoryMiB + other.peakMemoryMiB,
  });
  return usages.reduce(add, { cpuMicros: 0, peakMemoryMiB: 0 });
}

/** What a process holds once what nobody needs is gone. */
export function measureHeldKiB(): number {
  if (globalThis.gc === undefined) throw new Error('Needs --expose-gc');
  globalThis.gc();
  return process.memoryUsage.rss() / 1024;
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
