// The result as lines "name: value": a peer, the workload, what was measured, the median and its spread over the rounds.

import { summarize, type Measure, type Summary } from './measure.js';
import type { PeerResult } from './rounds.js';

const MEASURED = [
  ['requests_per_s', 'requestsPerSecond'],
  ['p50_us', 'p50Micros'],
  ['p99_us', 'p99Micros'],
  ['cpu_us_per_request', 'cpuMicrosPerRequest'],
] as const satisfies readonly (readonly [string, keyof Measure])[];

/** What is worth comparing: throughput, latency of the middle request, and work done at both ends. */
const COMPARED = [
  ['throughput_ratio', 'requestsPerSecond'],
  ['p50_ratio', 'p50Micros'],
  ['cpu_ratio', 'cpuMicrosPerRequest'],
] as const satisfies readonly (readonly [string, keyof Measure])[];

/** One peer's own figures. */
export function reportPeer({ peer, measures, failures, peakMemoryMiB }: PeerResult): readonly string[] {
  const lines: string[] = [];
  for (const [workload, rounds] of measures) {
    for (const [label, field] of MEASURED) {
      const summary = summarize(rounds.flatMap((measure) => (measure === undefined ? [] : [measure[field]])));
      if (summary !== undefined) lines.push(`${peer} ${workload} ${label}: ${format(summary, 1)}`);
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
    for (const [label, field] of COMPARED) {
      const ratios = rounds.flatMap((measure, round) => {
        const reference = others[round];
        return measure === undefined || reference === undefined ? [] : [measure[field] / reference[field]];
      });
      const summary = summarize(ratios);
      const value = summary === undefined ? 'no round in which both finished' : format(summary, 2);
      lines.push(`${subject.peer}/${other.peer} ${workload} ${label}: ${value}`);
    }
  }
  return lines;
}

function format({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}
