import { describe, expect, it } from 'vitest';
import type { Measure } from '../measure.js';
import type { BenchResult, GroupResult } from '../result-file.js';
import type { PeerResult } from '../rounds.js';
import { replaceBlock } from './block.js';
import { drawCharts } from './charts.js';
import { drawChart } from './svg.js';
import { formatNumber, writeTables } from './tables.js';
import { TARGETS, writeTargets } from './targets.js';
import { GROUPS } from '../groups.js';
import { nameOf } from '../workload.js';

type Rounds = Readonly<Record<string, readonly Measure[]>>;

function peer(name: string, measures: Rounds, failures: Readonly<Record<string, string>> = {}): PeerResult {
  return {
    peer: name,
    measures: new Map(Object.entries(measures)),
    failures: new Map(Object.entries(failures)),
    peakMemoryMiB: undefined,
  };
}

function resultOf(...groups: readonly GroupResult[]): BenchResult {
  const machine = { node: '1', openssl: '2', processors: '3', memoryGiB: 4, openFiles: '5', commit: 'abc' };
  return { machine, plan: { rounds: 2, runMs: 1, warmUpMs: 1, warmUpConnections: 1 }, groups };
}

const IN_FLIGHT: GroupResult = {
  name: 'in-flight',
  peers: [
    peer('nest-tcp', { '64x256B': [{ requests_per_s: 10 }, { requests_per_s: 30 }] }, { '1x256B': 'no answer' }),
    peer('sealwire', { '64x256B': [{ requests_per_s: 40 }, { requests_per_s: 60 }], '1x256B': [{ p50_us: 1 }] }),
  ],
};

describe('the tables', () => {
  it('have the median of each peer, and the median of the ratios of the rounds', () => {
    const tables = writeTables(resultOf(IN_FLIGHT));
    expect(tables).toContain('| 64x256B | requests_per_s | 20 | 50 |');
    expect(tables).toContain('| 64x256B | throughput_ratio | 3.00 (2.00 to 4.00) |');
  });

  it('give the reason why a peer was given up', () => {
    expect(writeTables(resultOf(IN_FLIGHT))).toContain('| 1x256B | p50_us | no answer | 1 |');
  });

  it('keep three digits of a number', () => {
    expect([123_456, 12.345, 1.2345, 0.01234, 0].map(formatNumber)).toEqual(['123,456', '12.3', '1.23', '0.01', '0']);
  });
});

describe('the targets', () => {
  it('exist as workloads', () => {
    for (const [, group, workload] of TARGETS) {
      const names = GROUPS.find(({ name }) => name === group)?.workloads.map(nameOf);
      expect(names).toContain(workload);
    }
  });

  it('are reached, missed or not comparable', () => {
    const targets = writeTargets(resultOf(IN_FLIGHT));
    expect(targets).toContain('| 64 in flight, 256 B of JSON | nest-tcp | ≥ 2.5 | 3.00 (2.00 to 4.00) | yes |');
    expect(targets).toContain('| 64 in flight, 256 B of JSON | nest-tls | ≥ 2.5 | not measured | - |');
    expect(targets).toContain('| 1 in flight: median latency | nest-tcp | ≤ 1.05 | nest-tcp does not finish | - |');
  });

  it('name the commit that was measured, and the skipped work', () => {
    const targets = writeTargets(resultOf(IN_FLIGHT));
    expect(targets).toMatch(/^Measured on commit abc, Node 1:\n/u);
    expect(targets).toContain('| 128 in flight, 64 KiB of JSON | - | finishes | not measured | - |');
  });

  it('are missed if ours does not finish', () => {
    const bulk = { name: 'bulk', peers: [peer('sealwire', { '128x64KiB': [] }, { '128x64KiB': 'no answer' })] };
    expect(writeTargets(resultOf(bulk))).toContain(
      '| 128 in flight, 64 KiB of JSON | - | finishes | no answer | **no** |',
    );
  });
});

describe('a chart', () => {
  const series = [
    {
      name: 'us',
      color: '#111111',
      isSubject: true,
      points: [
        { x: 1, y: 1 },
        { x: 10, y: 10 },
      ],
    },
    {
      name: 'them',
      color: '#222222',
      isSubject: false,
      points: [
        { x: 1, y: 1 },
        { x: 10, y: 10 },
      ],
    },
    { name: 'nobody', color: '#333333', isSubject: false, points: [] },
  ];
  const xTicks = [1, 10].map((value) => ({ value, label: String(value) }));
  const svg = drawChart({ title: 'Growth', xLabel: 'size', xTicks, series });

  it('has a line for each series with points, and names that do not overlap', () => {
    expect(svg.match(/<polyline /gu)).toHaveLength(2);
    const heights = [...svg.matchAll(/y="([\d.]+)"[^>]*>(?:us|them)</gu)].map(([, y]) => Number(y));
    expect(Math.abs((heights[0] ?? 0) - (heights[1] ?? 0))).toBeGreaterThanOrEqual(15);
    expect(svg).not.toContain('nobody');
  });

  it('contains only finite numbers', () => {
    expect(svg).not.toMatch(/NaN|Infinity|undefined/u);
  });

  it('is drawn for each group that was measured', () => {
    expect([...drawCharts(resultOf(IN_FLIGHT)).keys()]).toEqual(['in-flight.svg']);
  });
});

describe('a generated block', () => {
  const document = 'a\n<!-- x: written by npm run bench:plot -->\nold\n<!-- end of x -->\nb';

  it('is replaced, time after time, without a change around it', () => {
    const once = replaceBlock(document, 'x', 'new');
    expect(once).toBe('a\n<!-- x: written by npm run bench:plot -->\n\nnew\n\n<!-- end of x -->\nb');
    expect(replaceBlock(once, 'x', 'new')).toBe(once);
  });

  it('is required', () => {
    expect(() => replaceBlock(document, 'y', 'new')).toThrow('no block called y');
  });
});
