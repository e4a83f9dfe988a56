import type { Figure } from './measure.js';
import { ratioLine } from './report.js';
import type { GroupResult } from './result-file.js';

interface Headline {
  readonly group: string;
  readonly against: string;
  readonly workload: string;
  readonly figure: Figure;
}

const STRATEGIES = { group: 'strategies', figure: 'requests_per_s' } as const;

/** What `--quick` prints first: single calls, then many in flight, then large ones, then applications. */
export const HEADLINES: readonly Headline[] = [
  { ...STRATEGIES, against: 'nest-tcp', workload: '1x256B', figure: 'p50_us' },
  { ...STRATEGIES, against: 'nest-tls', workload: '1x256B', figure: 'p50_us' },
  { ...STRATEGIES, against: 'nest-tcp', workload: '64x256B' },
  { ...STRATEGIES, against: 'nest-tls', workload: '64x256B' },
  { ...STRATEGIES, against: 'nest-psk', workload: '64x256B' },
  { ...STRATEGIES, against: 'nest-tcp', workload: '64x256B', figure: 'cpu_us_per_request' },
  { ...STRATEGIES, against: 'nest-tcp', workload: '4x1MiB' },
  { group: 'applications', against: 'nest-tcp-app', workload: '64x256B', figure: 'requests_per_s' },
];

/** In some runs Nest's own client spends 15 % of its time on garbage collection, in others 8 to 9 %. */
export const NOTE =
  "note: Nest's own client flips between two rates, so a ratio to a Nest peer can differ by a quarter from run to run";

/** A line for each headline of which both peers were measured. */
export function headlineLines(results: readonly GroupResult[]): readonly string[] {
  return HEADLINES.flatMap(({ group, against, workload, figure }) => {
    const peers = results.find(({ name }) => name === group)?.peers ?? [];
    const [subject, other] = [peers.at(-1), peers.find(({ peer }) => peer === against)];
    return subject === undefined || other === undefined ? [] : [ratioLine(subject, other, workload, figure)];
  });
}
