import { summarize, type Figure, type Summary } from '../measure.js';
import { summarizeRatios } from '../report.js';
import type { BenchResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';
import { table } from './tables.js';

/** What is to be reached: a bound for ours, in proportion to other peers or in the unit of the figure. */
interface Target {
  readonly work: string;
  readonly group: string;
  readonly workload: string;
  readonly figure: Figure;
  /** A row of the table for each; without any, the figure itself is bound. */
  readonly against?: readonly string[];
  readonly bound: Bound;
}

type Bound = { readonly least: number } | { readonly most: number } | 'finishes';

const NEST = ['nest-tcp', 'nest-tls', 'nest-psk'];
const RATE = { figure: 'requests_per_s', against: ['nest-tcp'] } as const;
const SMALL = { group: 'in-flight', figure: 'requests_per_s', against: NEST } as const;
const LATENCY = {
  group: 'in-flight',
  workload: '1x256B',
  figure: 'p50_us',
  work: '1 in flight: median latency',
} as const;
const APPLICATION = {
  ...RATE,
  group: 'applications',
  against: ['nest-tcp-app', 'nest-tls-app'],
  bound: { least: 1.5 },
};
const BULK = { group: 'bulk', figure: 'requests_per_s', bound: 'finishes' } as const;
const BESIDE = { group: 'beside', figure: 'added_p99_us' } as const;

export const TARGETS: readonly Target[] = [
  { ...LATENCY, against: ['nest-tcp'], bound: { most: 1.05 } },
  { ...LATENCY, against: ['nest-tls'], bound: { most: 0.95 } },
  { ...RATE, work: '4 in flight, 256 B of JSON', group: 'size', workload: '4x256B', bound: { least: 1.2 } },
  { ...RATE, work: '4 in flight, 4 KiB of JSON', group: 'size', workload: '4x4KiB', bound: { least: 1.2 } },
  { ...SMALL, work: '16 in flight, 256 B of JSON', workload: '16x256B', bound: { least: 2.2 } },
  { ...SMALL, work: '64 in flight, 256 B of JSON', workload: '64x256B', bound: { least: 2.5 } },
  { ...SMALL, work: '512 in flight, 256 B of JSON', workload: '512x256B', bound: { least: 2.5 } },
  {
    work: '64 in flight: CPU time, both ends',
    group: 'in-flight',
    workload: '64x256B',
    figure: 'cpu_us_per_request',
    against: ['nest-tcp'],
    bound: { most: 0.5 },
  },
  { ...APPLICATION, work: '16 in flight, through applications', workload: '16x256B' },
  { ...APPLICATION, work: '64 in flight, through applications', workload: '64x256B' },
  { ...APPLICATION, work: '512 in flight, through applications', workload: '512x256B' },
  { ...RATE, work: '4 × 64 KiB of JSON, one long text', group: 'size', workload: '4x64KiB', bound: { least: 1.2 } },
  { ...RATE, work: '4 × 1 MiB of JSON, one long text', group: 'size', workload: '4x1MiB', bound: { least: 0.95 } },
  {
    ...RATE,
    work: '4 × 64 KiB of JSON, many small fields',
    group: 'fields',
    workload: '4x64KiB-fields',
    bound: { least: 0.9 },
  },
  {
    ...RATE,
    work: '4 × 1 MiB of JSON, many small fields',
    group: 'fields',
    workload: '4x1MiB-fields',
    bound: { least: 0.6 },
  },
  { ...RATE, work: '1 MiB of bytes', group: 'bytes', workload: '1x1MiB-bytes', bound: { least: 10 } },
  { ...RATE, work: '16 MiB of bytes', group: 'bytes', workload: '1x16MiB-bytes', bound: { least: 10 } },
  { ...BULK, work: '128 in flight, 64 KiB of JSON', workload: '128x64KiB' },
  { ...BULK, work: '512 in flight, 64 KiB of JSON', workload: '512x64KiB' },
  {
    ...BESIDE,
    work: 'a small request beside a stream of 64 MiB: what that adds to p99, in µs',
    workload: 'beside-64MiB-stream',
    bound: { most: 10_000 },
  },
  {
    ...BESIDE,
    work: 'a small request beside one message of 64 MiB: what that adds to p99, in µs',
    workload: 'beside-64MiB-message',
    bound: { most: 20_000 },
  },
  {
    work: 'connect, handshake, first answer, close',
    group: 'connect',
    workload: 'connect',
    figure: 'connections_per_s',
    against: ['nest-tls'],
    bound: { least: 1.5 },
  },
  {
    work: '10,000 idle connections: memory of the server',
    group: 'idle',
    workload: 'idle-10000',
    figure: 'server_kib_per_connection',
    against: ['nest-tcp'],
    bound: { most: 1.5 },
  },
];

/** As Markdown: what was measured of every target, and on which commit. */
export function writeTargets(result: BenchResult): string {
  const rows = TARGETS.flatMap((target) => {
    const peers = result.groups.find(({ name }) => name === target.group)?.peers ?? [];
    return (target.against ?? [undefined]).map((against) => targetRow(target, against, peers));
  });
  return [`Measured on commit ${result.machine.commit ?? 'unknown'}, Node ${result.machine.node}:`, '']
    .concat(table(['work', 'against', 'target', 'measured', 'reached'], rows))
    .join('\n');
}

function targetRow(target: Target, against: string | undefined, peers: readonly PeerResult[]): readonly string[] {
  const { measured, isReached } = judge(target, against, peers);
  const reached = isReached === undefined ? '-' : isReached ? 'yes' : '**no**';
  return [target.work, against ?? '-', formatBound(target.bound), measured, reached];
}

interface Judgement {
  readonly measured: string;
  /** Undefined if there is nothing to compare with. */
  readonly isReached?: boolean;
}

function judge(
  { workload, figure, bound }: Target,
  against: string | undefined,
  peers: readonly PeerResult[],
): Judgement {
  const subject = peers.at(-1);
  const failure = subject?.failures.get(workload);
  if (failure !== undefined) return { measured: failure, isReached: false };
  const rounds = subject?.measures.get(workload) ?? [];
  if (rounds.length === 0) return { measured: 'not measured' };
  if (bound === 'finishes') return { measured: 'finishes', isReached: true };
  if (against === undefined) return judgeSummary(summarize(rounds.flatMap((each) => each?.[figure] ?? [])), bound, 0);
  const other = peers.find(({ peer }) => peer === against);
  if (other?.failures.has(workload) === true) return { measured: `${against} does not finish` };
  return judgeSummary(summarizeRatios(rounds, other?.measures.get(workload) ?? [], figure), bound, 2);
}

function judgeSummary(summary: Summary | undefined, bound: Exclude<Bound, string>, digits: number): Judgement {
  if (summary === undefined) return { measured: 'not measured' };
  const isReached = 'least' in bound ? summary.median >= bound.least : summary.median <= bound.most;
  return { measured: formatSummary(summary, digits), isReached };
}

function formatBound(bound: Bound): string {
  if (bound === 'finishes') return bound;
  return 'least' in bound ? `≥ ${bound.least.toLocaleString('en-US')}` : `≤ ${bound.most.toLocaleString('en-US')}`;
}

function formatSummary({ median, min, max }: Summary, digits: number): string {
  const [middle, least, greatest] = [median, min, max].map((value) =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  return `${middle} (${least} to ${greatest})`;
}
