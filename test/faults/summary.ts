import type { Call } from './history/history.js';
import type { RunResult } from './run.js';
import type { Scenario } from './scenario.js';

/** What is left of a run when its history is forgotten. */
export interface Summary {
  readonly seeds: number;
  readonly processSeeds: number;
  readonly requests: number;
  readonly events: number;
  readonly handlerRuns: number;
  readonly ms: number;
  /** The number of calls by outcome: `done`, or a code with `sent`. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The number of faults by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly findings: readonly SeedFinding[];
}

export interface SeedFinding {
  readonly seed: number;
  readonly what: string;
}

export const NOTHING: Summary = {
  seeds: 0,
  processSeeds: 0,
  requests: 0,
  events: 0,
  handlerRuns: 0,
  ms: 0,
  outcomes: {},
  faults: {},
  findings: [],
};

export function summarize({ seed, hasProcesses }: Scenario, result: RunResult): Summary {
  const { calls, runs, ms, faults, findings, failures } = result;
  const events = calls.filter(({ kind }) => kind === 'event').length;
  return {
    seeds: 1,
    processSeeds: hasProcesses ? 1 : 0,
    requests: calls.length - events,
    events,
    handlerRuns: runs.length,
    ms,
    outcomes: countOutcomes(calls),
    faults: Object.fromEntries(faults),
    findings: [...findings.map(({ rule, what }) => `${rule}: ${what}`), ...failures].map((what) => ({ seed, what })),
  };
}

export function add(one: Summary, other: Summary): Summary {
  return {
    seeds: one.seeds + other.seeds,
    processSeeds: one.processSeeds + other.processSeeds,
    requests: one.requests + other.requests,
    events: one.events + other.events,
    handlerRuns: one.handlerRuns + other.handlerRuns,
    ms: one.ms + other.ms,
    outcomes: addCounts(one.outcomes, other.outcomes),
    faults: addCounts(one.faults, other.faults),
    findings: [...one.findings, ...other.findings],
  };
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function countOutcomes(calls: readonly Call[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of calls) {
    const name = outcome.at === 'FAILED' ? `${outcome.code} (sent: ${outcome.sent})` : outcome.at.toLowerCase();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

type Counts = Readonly<Record<string, number>>;

function addCounts(one: Counts, other: Counts): Counts {
  const sum: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
