import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureClient, quantile, summarize, type Measure } from './measure.js';
import { reportPeer, reportRatios } from './report.js';
import { readResult, writeResult, type BenchResult } from './result-file.js';
import type { PeerResult } from './rounds.js';

const WORKLOAD = '64x256B';

/** A peer with this throughput in each round; undefined where a round gave nothing. */
function peer(name: string, perSecond: readonly (number | undefined)[], failure?: string): PeerResult {
  const measures = perSecond.map((requests): Measure | undefined =>
    requests === undefined ? undefined : { requests_per_s: requests, p50_us: 1, p99_us: 1, cpu_us_per_request: 1 },
  );
  return {
    peer: name,
    measures: new Map([[WORKLOAD, measures]]),
    failures: new Map(failure === undefined ? [] : [[WORKLOAD, failure]]),
    peakMemoryMiB: undefined,
  };
}

describe('the report of a bench', () => {
  it('uses the median of the ratios of each round, not the ratio of the medians', () => {
    const lines = reportRatios(peer('us', [20, 30, 100]), peer('them', [10, 30, 25]));
    expect(lines).toContain(`us/them ${WORKLOAD} throughput_ratio: 2.00 (1.00 to 4.00)`);
  });

  it('compares only the rounds that both finished', () => {
    const lines = reportRatios(peer('us', [20, 30]), peer('them', [10, undefined]));
    expect(lines).toContain(`us/them ${WORKLOAD} throughput_ratio: 2.00 (2.00 to 2.00)`);
    expect(reportRatios(peer('us', [20]), peer('them', [undefined]))).toContain(
      `us/them ${WORKLOAD} throughput_ratio: no round in which both finished`,
    );
  });

  it('reports that neither finished', () => {
    expect(reportRatios(peer('us', [undefined]), peer('them', [undefined]))).toEqual([
      `us/them ${WORKLOAD}: no round in which both finished`,
    ]);
  });

  it('gives the reason why a peer was given up', () => {
    expect(reportPeer(peer('them', [undefined], 'no answer within 5 s'))).toEqual([
      `them ${WORKLOAD} failed: no answer within 5 s`,
    ]);
  });

  it('round-trips through its file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-result-'));
    const result: BenchResult = {
      machine: { node: '1', openssl: '1', processors: '1', memoryGiB: 1, openFiles: '1', commit: '1' },
      plan: { rounds: 2, runMs: 1, warmUpMs: 1, warmUpConnections: 1 },
      groups: [{ name: 'size', peers: [peer('us', [1, undefined], 'why')] }],
    };
    await writeResult(join(folder, 'result.json'), result);
    expect(await readResult(join(folder, 'result.json'))).toEqual(result);
    await rm(folder, { recursive: true });
  });
});

describe('a measure', () => {
  it('counts in the unit of its workload', () => {
    const outcome = { units: 10, elapsedMs: 500, latenciesMs: [] };
    expect(measureClient({ kind: 'stream', values: 10 }, outcome).figures).toEqual({ values_per_s: 20 });
    expect(measureClient({ kind: 'connect' }, outcome).figures).toEqual({ connections_per_s: 20 });
  });

  it('shows the latency that a transfer adds to the slowest of the small requests', () => {
    const beside = { idleLatenciesMs: [1], transferMs: 7 };
    const outcome = { units: 1, elapsedMs: 1, latenciesMs: [3], beside };
    expect(measureClient({ kind: 'beside', transfer: 'stream', transferBytes: 1 }, outcome).figures).toEqual({
      idle_p99_us: 1000,
      p99_us: 3000,
      added_p99_us: 2000,
      transfer_ms: 7,
    });
  });
});

describe('a summary', () => {
  it('averages the two middle values of an even number of rounds', () => {
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(quantile([1, 2, 3], 0.99)).toBeCloseTo(2.98);
    expect(summarize([])).toBeUndefined();
  });
});
