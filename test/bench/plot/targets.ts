import { summarize, type Figure, type Summary } from '../measure.js';
import { summarizeRatios } from '../report.js';
import type { BenchResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';
import { table } from './tables.js';

/** What is to be reached: a bound for ours, in proportion to another peer or in the unit of the figure. */
interface Target {
  readonly work: string;
  readonly group: string;
  readonly workload: string;
  readonly figure: Figure;
  readonly against?: string;
  readonly bound: Bound;
}

type Bound = { readonly least: number } | { readonly most: number } | 'finishes';

const SMALL = { group: 'in-flight', figure: 'requests_per_s' } as const;
const APPLICATION = { ...SMALL, group: 'applications', workload: '64x256B', bound: { least: 1.5 } } as const;
const BYTES = { group: 'bytes', figure: 'requests_per_s', against: 'nest-tcp' } as const;
const BULK = { group: 'bulk', figure: 'requests_per_s', bound: 'finishes' } as const;

const IN_FLIGHT_64 = {
  ...SMALL,
  work: '64 in flight, 256 B of JSON',
  workload: '64x256B',
  bound: { least: 2 },
} as const;
const IN_FLIGHT_512 = {
  ...SMALL,
  work: '512 in flight, 256 B of JSON',
  workload: '512x256B',
  bound: { least: 2 },
} as const;
const LATENCY = { ...SMALL, work: '1 in flight: median latency', workload: '1x256B', figure: 'p50_us' } as const;

export const TARGETS: readonly Target[] = [
  { ...IN_FLIGHT_64, against: 'nest-tcp' },
  { ...IN_FLIGHT_64, against: 'nest-tls' },
  { ...APPLICATION, work: '64 in flight, through applications', against: 'nest-tcp-app' },
  { ...APPLICATION, work: '64 in flight, through applications', against: 'nest-tls-app' },
  { ...IN_FLIGHT_512, against: 'nest-tcp' },
  { ...IN_FLIGHT_512, against: 'nest-tls' },
  { ...LATENCY, against: 'nest-tcp', bound: { most: 1.15 } },
  { ...LATENCY, against: 'nest-tls', bound: { most: 0.95 } },
  {
    ...IN_FLIGHT_64,
    work: '64 in flight: CPU time, both ends',
    figure: 'cpu_us_per_request',
    against: 'nest-tcp',
    bound: { most: 0.7 },
  },
  {
    ...BYTES,
    work: '1 MiB of JSON, 4 in flight',
    group: 'size',
    workload: '4x1MiB',
    bound: { least: 0.9 },
  },
  { ...BYTES, work: '1 MiB of bytes, 4 in flight', workload: '4x1MiB-bytes', bound: { least: 5 } },
  { ...BYTES, work: '16 MiB of bytes', workload: '1x16MiB-bytes', bound: { least: 10 } },
  { ...BULK, work: '128 in flight, 64 KiB of JSON', workload: '128x64KiB' },
  { ...BULK, work: '512 in flight, 64 KiB of JSON', workload: '512x64KiB' },
  {
    work: 'a small request beside a stream of 64 MiB: what that adds to p99, in µs',
    group: 'beside',
    workload: 'beside-64MiB-stream',
    figure: 'added_p99_us',
    bound: { most: 10_000 },
  },
  {
    work: 'connect, handshake and first answer',
    group: 'connect',
    workload: 'connect',
    figure: 'connections_per_s',
    against: 'nest-tls',
    bound: { least: 2 },
  },
  {
    work: '10,000 idle connections: memory of the server',
    group: 'idle',
    workload: 'idle-10000',
    figure: 'server_kib_per_connection',
    against: 'nest-tcp',
    bound: { most: 1.5 },
  },
];

/** As Markdown: every target whose group the result has. */
export function writeTargets(result: BenchResult): string {
  const rows = TARGETS.flatMap((target) => {
    const peers = result.groups.find(({ name }) => name === target.group)?.peers;
    return peers === undefined ? [] : [targetRow(target, peers)];
  });
  return table(['work', 'against', 'target', 'measured', 'reached'], rows).join('\n');
}

function targetRow(target: Target, peers: readonly PeerResult[]): readonly string[] {
  const { measured, isReached } = judge(target, peers);
  const reached = isReached === undefined ? '-' : isReached ? 'yes' : '**no**';
  return [target.work, target.against ?? '-', formatBound(target.bound), measured, reached];
}

interface Judgement {
  readonly measured: string;
  /** Undefined where there is nothing to compare with. */
  readonly isReached?: boolean;
}

function judge({ workload, figure, against, bound }: Target, peers: readonly PeerResult[]): Judgement {
  const subject = peers.at(-1);
  const failure = subject?.failures.get(workload);
  if (failure !== undefined) return { measured: failure, isReached: false };
  const rounds = subject?.measures.get(workload) ?? [];
  if (bound === 'finishes') return { measured: 'finishes', isReached: rounds.length > 0 };
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
