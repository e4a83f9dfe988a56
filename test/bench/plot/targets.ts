import { summarize, type Figure, type Summary } from '../measure.js';
import { summarizeRatios } from '../report.js';
import type { BenchResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';
import { table } from './tables.js';

type Bound = { readonly least: number } | { readonly most: number } | 'finishes';

/**
 * What is to be reached: a bound for ours, in proportion to the peers of `against`, each of which has a row of the table, or
 * without any in the unit of the figure.
 */
type Target = readonly [
  work: string,
  group: string,
  workload: string,
  figure: Figure,
  bound: Bound,
  ...against: readonly string[],
];

const NEST = ['nest-tcp', 'nest-tls', 'nest-psk'];
const APPS = ['nest-tcp-app', 'nest-tls-app'];
const RATE = 'requests_per_s';
const TEXT = 'one long text';
const FIELDS = 'many small fields';
const SMALL = 'a small request beside';
const ADDED = 'what that adds to p99, in µs';

export const TARGETS: readonly Target[] = [
  ['1 in flight: median latency', 'in-flight', '1x256B', 'p50_us', { most: 1.05 }, 'nest-tcp'],
  ['1 in flight: median latency', 'in-flight', '1x256B', 'p50_us', { most: 0.95 }, 'nest-tls'],
  ['4 in flight, 256 B of JSON', 'size', '4x256B', RATE, { least: 1.2 }, 'nest-tcp'],
  ['4 in flight, 4 KiB of JSON', 'size', '4x4KiB', RATE, { least: 1.2 }, 'nest-tcp'],
  ['16 in flight, 256 B of JSON', 'in-flight', '16x256B', RATE, { least: 2.2 }, ...NEST],
  ['64 in flight, 256 B of JSON', 'in-flight', '64x256B', RATE, { least: 2.5 }, ...NEST],
  ['512 in flight, 256 B of JSON', 'in-flight', '512x256B', RATE, { least: 2.5 }, ...NEST],
  ['64 in flight: CPU time, both ends', 'in-flight', '64x256B', 'cpu_us_per_request', { most: 0.5 }, 'nest-tcp'],
  ['16 in flight, through applications', 'applications', '16x256B', RATE, { least: 1.5 }, ...APPS],
  ['64 in flight, through applications', 'applications', '64x256B', RATE, { least: 1.5 }, ...APPS],
  ['512 in flight, through applications', 'applications', '512x256B', RATE, { least: 1.5 }, ...APPS],
  [`4 × 64 KiB of JSON, ${TEXT}`, 'size', '4x64KiB', RATE, { least: 1.2 }, 'nest-tcp'],
  [`4 × 1 MiB of JSON, ${TEXT}`, 'size', '4x1MiB', RATE, { least: 0.95 }, 'nest-tcp'],
  [`4 × 64 KiB of JSON, ${FIELDS}`, 'fields', '4x64KiB-fields', RATE, { least: 0.9 }, 'nest-tcp'],
  [`4 × 1 MiB of JSON, ${FIELDS}`, 'fields', '4x1MiB-fields', RATE, { least: 0.6 }, 'nest-tcp'],
  ['1 MiB of bytes', 'bytes', '1x1MiB-bytes', RATE, { least: 10 }, 'nest-tcp'],
  ['16 MiB of bytes', 'bytes', '1x16MiB-bytes', RATE, { least: 10 }, 'nest-tcp'],
  ['128 in flight, 64 KiB of JSON', 'bulk', '128x64KiB', RATE, 'finishes'],
  ['512 in flight, 64 KiB of JSON', 'bulk', '512x64KiB', RATE, 'finishes'],
  [`${SMALL} a stream of 64 MiB: ${ADDED}`, 'beside', 'beside-64MiB-stream', 'added_p99_us', { most: 10_000 }],
  [`${SMALL} one message of 64 MiB: ${ADDED}`, 'beside', 'beside-64MiB-message', 'added_p99_us', { most: 20_000 }],
  ['connect, handshake, first answer, close', 'connect', 'connect', 'connections_per_s', { least: 1.5 }, 'nest-tls'],
  [
    '10,000 idle connections: memory of the server',
    'idle',
    'idle-10000',
    'server_kib_per_connection',
    { most: 1.5 },
    'nest-tcp',
  ],
];

/** As Markdown: what was measured of every target, and on which commit. */
export function writeTargets(result: BenchResult): string {
  const rows = TARGETS.flatMap((target) => {
    const [, group, , , , ...against] = target;
    const peers = result.groups.find(({ name }) => name === group)?.peers ?? [];
    return (against.length === 0 ? [undefined] : against).map((peer) => targetRow(target, peer, peers));
  });
  return [`Measured on commit ${result.machine.commit ?? 'unknown'}, Node ${result.machine.node}:`, '']
    .concat(table(['work', 'against', 'target', 'measured', 'reached'], rows))
    .join('\n');
}

function targetRow(target: Target, against: string | undefined, peers: readonly PeerResult[]): readonly string[] {
  const { measured, isReached } = judge(target, against, peers);
  const reached = isReached === undefined ? '-' : isReached ? 'yes' : '**no**';
  const [work, , , , bound] = target;
  return [work, against ?? '-', formatBound(bound), measured, reached];
}

interface Judgement {
  readonly measured: string;
  /** Undefined if there is nothing to compare with. */
  readonly isReached?: boolean;
}

function judge(
  [, , workload, figure, bound]: Target,
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
