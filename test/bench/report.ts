// The result as lines "name: value": a peer, the workload, what was measured, the median and its spread over the rounds.

import { summarize, type Figure, type Measure, type Summary } from './measure.js';
import type { PeerResult } from './rounds.js';

/** One peer's own figures. */
export function reportPeer({ peer, measures, failures, peakMemoryMiB }: PeerResult): readonly string[] {
  const lines: string[] = [];
  for (const [workload, rounds] of measures) {
    for (const figure of figuresOf(rounds)) {
      const summary = summarize(rounds.flatMap((measure) => measure?.[figure] ?? []));
      if (summary !== undefined) lines.push(`${peer} ${workload} ${figure}: ${format(summary, 1)}`);
    }
    const failure = failures.get(workload);
    if (failure !== undefined) lines.push(`${peer} ${workload} failed: ${failure}`);
  }
  if (peakMemoryMiB !== undefined) {
    lines.push(`${peer} server peak_memory_mib: ${peakMemoryMiB.server.toFixed(0)}`);
    lines.push(`${peer} client peak_memory_mib: ${peakMemoryMiB.client.toFixed(0)}`);
  }
  return lines;
}

/** The median of the ratios of each round, never the ratio of two medians: the machine changes between rounds. */
export function reportRatios(subject: PeerResult, other: PeerResult): readonly string[] {
  const lines: string[] = [];
  for (const [workload, rounds] of subject.measures) {
    const others = other.measures.get(workload) ?? [];
    const compared = figuresOf([...rounds, ...others]).filter((figure) => RATIO_LABELS[figure] !== undefined);
    if (compared.length === 0) lines.push(`${subject.peer}/${other.peer} ${workload}: ${NO_COMMON_ROUND}`);
    for (const figure of compared) lines.push(ratioLine(subject, other, workload, figure));
  }
  return lines;
}

/** @param figure - One of {@link RATIO_LABELS}. */
export function ratioLine(subject: PeerResult, other: PeerResult, workload: string, figure: Figure): string {
  const [rounds, others] = [subject, other].map(({ measures }) => measures.get(workload) ?? []);
  const summary = summarizeRatios(rounds ?? [], others ?? [], figure);
  const value = summary === undefined ? NO_COMMON_ROUND : format(summary, 2);
  return `${subject.peer}/${other.peer} ${workload} ${RATIO_LABELS[figure] ?? figure}: ${value}`;
}

const NO_COMMON_ROUND = 'no round in which both finished';

export function summarizeRatios(
  rounds: readonly (Measure | undefined)[],
  others: readonly (Measure | undefined)[],
  figure: Figure,
): Summary | undefined {
  return summarize(
    rounds.flatMap((measure, round) => {
      const [value, reference] = [measure?.[figure], others[round]?.[figure]];
      return value === undefined || reference === undefined ? [] : [value / reference];
    }),
  );
}

/** What is worth comparing: throughput, latency of the middle request, and what it takes at both ends. */
export const RATIO_LABELS: Readonly<Partial<Record<Figure, string>>> = {
  requests_per_s: 'throughput_ratio',
  values_per_s: 'throughput_ratio',
  events_per_s: 'throughput_ratio',
  connections_per_s: 'throughput_ratio',
  p50_us: 'p50_ratio',
  cpu_us_per_request: 'cpu_ratio',
  cpu_us_per_value: 'cpu_ratio',
  cpu_us_per_event: 'cpu_ratio',
  cpu_us_per_connection: 'cpu_ratio',
  server_kib_per_connection: 'memory_ratio',
  transfer_ms: 'transfer_ratio',
};

function figuresOf(rounds: readonly (Measure | undefined)[]): readonly Figure[] {
  const first = rounds.find((measure) => measure !== undefined) ?? {};
  return Object.keys(first) as Figure[];
}

export function format({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}
