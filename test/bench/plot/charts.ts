import { GROUPS } from '../groups.js';
import { summarize, type Figure } from '../measure.js';
import type { BenchResult, GroupResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';
import { formatBytes, nameOf, type Workload } from '../workload.js';
import { drawChart, type Point, type Tick } from './svg.js';

interface Growth {
  readonly file: string;
  readonly group: string;
  readonly title: string;
  readonly xLabel: string;
  /** Where a workload stands on the horizontal axis. */
  readonly tick: (workload: Workload) => Tick;
  readonly figure: Figure;
  /** What is drawn of the median of the figure. */
  readonly height: (median: number, x: number) => number;
}

const GROWTHS: readonly Growth[] = [
  {
    file: 'in-flight.svg',
    group: 'in-flight',
    title: 'Requests a second, 256 bytes of JSON (more is better)',
    xLabel: 'requests in flight on one connection',
    tick: (workload) => plainTick(workload.kind === 'echo' ? workload.inFlight : 0),
    figure: 'requests_per_s',
    height: (perSecond) => perSecond,
  },
  {
    file: 'size.svg',
    group: 'size',
    title: 'Microseconds for each request, 4 in flight (less is better)',
    xLabel: 'size of the payload, JSON',
    tick: (workload) => {
      const bytes = workload.kind === 'echo' ? workload.payloadBytes : 0;
      return { value: bytes, label: formatBytes(bytes) };
    },
    figure: 'requests_per_s',
    height: (perSecond) => 1e6 / perSecond,
  },
  {
    file: 'connections.svg',
    group: 'idle',
    title: 'MiB that the server holds for idle connections (less is better)',
    xLabel: 'idle connections',
    tick: (workload) => plainTick(workload.kind === 'idle' ? workload.connections : 0),
    figure: 'server_kib_per_connection',
    height: (kib, connections) => (kib * connections) / 1024,
  },
];

const COLORS: Readonly<Record<string, string>> = {
  net: '#8a8a8a',
  'tls-psk': '#3f9fd8',
  moleculer: '#c98a00',
  grpc: '#b35f92',
  'nest-tcp': '#0b5fa5',
  'nest-tls': '#00845f',
  'nest-psk': '#6b5bb0',
  sealwire: '#d1360c',
};

/** SVG text by the name of its file, of the groups that the result has. */
export function drawCharts(result: BenchResult): ReadonlyMap<string, string> {
  const charts = new Map<string, string>();
  for (const growth of GROWTHS) {
    const group = result.groups.find(({ name }) => name === growth.group);
    if (group !== undefined) charts.set(growth.file, drawGrowth(growth, group));
  }
  return charts;
}

function drawGrowth({ group, title, xLabel, tick, figure, height }: Growth, { peers }: GroupResult): string {
  const workloads = GROUPS.find(({ name }) => name === group)?.workloads ?? [];
  const pointsOf = ({ measures }: PeerResult): readonly Point[] =>
    workloads.flatMap((workload) => {
      const rounds = measures.get(nameOf(workload)) ?? [];
      const median = summarize(rounds.flatMap((measure) => measure?.[figure] ?? []))?.median;
      const x = tick(workload).value;
      // Memory can come out below nothing where a connection takes less than the heap varies.
      return median === undefined || median <= 0 ? [] : [{ x, y: height(median, x) }];
    });
  const series = peers.map((peer, index) => ({
    name: peer.peer,
    color: COLORS[peer.peer] ?? '#333333',
    isSubject: index === peers.length - 1,
    points: pointsOf(peer),
  }));
  return drawChart({ title, xLabel, xTicks: workloads.map(tick), series });
}

function plainTick(value: number): Tick {
  return { value, label: value.toLocaleString('en-US') };
}
