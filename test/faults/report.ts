import type { SeedFinding, Summary } from './summary.js';
import { sumOf } from './summary.js';

const MAX_OUTCOMES = 40;

export function reportFinding({ seed, what }: SeedFinding): readonly string[] {
  return [`FOUND by seed ${seed}: ${what}`, `again: npm run faults -- --seed ${seed}`];
}

/** One line while the seeds run. */
export function reportProgress(summary: Summary, seeds: number): string {
  return `${summary.seeds} of ${seeds} seeds, ${count(summary.requests + summary.events)} calls, ${count(sumOf(summary.faults))} faults, ${summary.findings.length} findings`;
}

/** Tables in Markdown, as docs/reliability.md shows them. */
export function reportSummary(summary: Summary): readonly string[] {
  const { seeds, processSeeds, requests, events, handlerRuns, outcomes, faults, findings } = summary;
  const failed = new Set(findings.map(({ seed }) => seed));
  return [
    '| seeds | of them with processes | requests | events | handler runs | faults | findings |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    `| ${[seeds, processSeeds, requests, events, handlerRuns, sumOf(faults), findings.length].map(count).join(' | ')} |`,
    '',
    `faults: ${byCount(faults)}`,
    `outcomes: ${byCount(outcomes)}`,
    ...(failed.size === 0 ? [] : [`failed seeds: ${[...failed].join(', ')}`]),
  ];
}

function byCount(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return sorted
    .slice(0, MAX_OUTCOMES)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
}

function count(number: number): string {
  return number.toLocaleString('en');
}
