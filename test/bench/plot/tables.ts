// The result as tables in Markdown: medians of every peer, then what ours is in proportion to each of the others.

import { RATIO_LABELS, summarizeRatios } from '../report.js';
import { summarize, type Figure, type Measure } from '../measure.js';
import type { Machine } from '../machine.js';
import type { BenchResult, GroupResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';

export function writeTables({ machine, plan, groups }: BenchResult): string {
  return [...machineItems(machine), `- ${plan.rounds} rounds of ${plan.runMs} ms for each peer and workload`, '']
    .concat(groups.flatMap(groupTables))
    .join('\n');
}

/** As items of a list. */
export function machineItems(machine: Machine): readonly string[] {
  const { commit, node, openssl, processors, memoryGiB, openFiles } = machine;
  return [
    `- Commit ${commit ?? 'unknown'}, Node ${node}, OpenSSL ${openssl}`,
    `- Processors: ${processors}; memory: ${memoryGiB} GiB; open files of a process: ${openFiles ?? 'unknown'}`,
  ];
}

function groupTables({ name, peers }: GroupResult): readonly string[] {
  const subject = peers.at(-1);
  if (subject === undefined) return [];
  const others = peers.slice(0, -1);
  return [
    `### ${name}`,
    '',
    ...table(['work', 'figure', ...peers.map(({ peer }) => peer)], medianRows(peers)),
    ...table(
      ['work', `${subject.peer} in proportion to`, ...others.map(({ peer }) => peer)],
      ratioRows(subject, others),
    ),
  ];
}

function medianRows(peers: readonly PeerResult[]): readonly (readonly string[])[] {
  const rows = workloadsOf(peers).flatMap((workload) =>
    figuresOf(peers, workload)
      .filter((figure) => !figure.startsWith('cpu_us_per_')) // the sum of two others
      .map((figure) => [workload, figure].concat(peers.map((peer) => medianCell(peer, workload, figure)))),
  );
  const memory = (['server', 'client'] as const).map((end) =>
    ['all', `${end} peak_memory_mib`].concat(peers.map(({ peakMemoryMiB }) => peakMemoryMiB?.[end].toFixed(0) ?? '-')),
  );
  return peers.some(({ peakMemoryMiB }) => peakMemoryMiB !== undefined) ? [...rows, ...memory] : rows;
}

function medianCell({ measures, failures }: PeerResult, workload: string, figure: Figure): string {
  const failure = failures.get(workload);
  if (failure !== undefined) return failure;
  const median = summarize(measuresOf(measures, workload, figure))?.median;
  return median === undefined ? '-' : formatNumber(median);
}

function ratioRows(subject: PeerResult, others: readonly PeerResult[]): readonly (readonly string[])[] {
  return workloadsOf([subject]).flatMap((workload) =>
    figuresOf([subject], workload).flatMap((figure) => {
      const label = RATIO_LABELS[figure];
      return label === undefined
        ? []
        : [[workload, label, ...others.map((other) => ratioCell(subject, other, workload, figure))]];
    }),
  );
}

function ratioCell(subject: PeerResult, other: PeerResult, workload: string, figure: Figure): string {
  const rounds = subject.measures.get(workload) ?? [];
  const ratio = summarizeRatios(rounds, other.measures.get(workload) ?? [], figure);
  return ratio === undefined ? '-' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`;
}

function workloadsOf(peers: readonly PeerResult[]): readonly string[] {
  return [...new Set(peers.flatMap(({ measures }) => [...measures.keys()]))];
}

function figuresOf(peers: readonly PeerResult[], workload: string): readonly Figure[] {
  const rounds = peers.flatMap(({ measures }) => measures.get(workload) ?? []);
  return Object.keys(rounds.find((measure) => measure !== undefined) ?? {}) as Figure[];
}

function measuresOf(measures: PeerResult['measures'], workload: string, figure: keyof Measure): readonly number[] {
  return (measures.get(workload) ?? []).flatMap((measure) => measure?.[figure] ?? []);
}

/** @returns Lines; prettier aligns the columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Three digits are more than a busy machine can repeat. */
export function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 3 - Math.ceil(Math.log10(Math.max(Math.abs(value), 0.1)));
  return Number(value.toFixed(Math.max(0, Math.min(digits, 2)))).toLocaleString('en-US');
}
