import { describe, expect, it } from 'vitest';
import { quantile, summarize, type Measure } from './measure.js';
import { reportPeer, reportRatios } from './report.js';
import { jsonPayload, runWorkload } from './workload.js';
import type { PeerResult } from './rounds.js';

const WORKLOAD = '64x256B';

/** A peer with this throughput in each round; undefined where a round gave nothing. */
function peer(name: string, perSecond: readonly (number | undefined)[], failure?: string): PeerResult {
  const measures = perSecond.map((requestsPerSecond): Measure | undefined =>
    requestsPerSecond === undefined
      ? undefined
      : { requests: 1, requestsPerSecond, p50Micros: 1, p99Micros: 1, cpuMicrosPerRequest: 1 },
  );
  return {
    peer: name,
    measures: new Map([[WORKLOAD, measures]]),
    failures: new Map(failure === undefined ? [] : [[WORKLOAD, failure]]),
    peakMemoryMiB: undefined,
  };
}

describe('the report of a bench', () => {
  it('gives the median of the ratios of each round, not the ratio of the medians', () => {
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

  it('tells why a peer was given up', () => {
    expect(reportPeer(peer('them', [undefined], 'no answer within 5 s'))).toEqual([
      `them ${WORKLOAD} failed: no answer within 5 s`,
    ]);
  });
});

describe('a workload', () => {
  it.each([64, 256, 4096, 65_536])('sends a payload of exactly %i bytes of JSON', (bytes) => {
    expect(Buffer.byteLength(JSON.stringify(jsonPayload(bytes)))).toBe(bytes);
  });

  it('keeps its number of requests under way and waits for the last answer', async () => {
    let underWay = 0;
    let most = 0;
    const client = {
      request(payload: unknown, done: (error: undefined, answer: unknown) => void): void {
        most = Math.max(most, ++underWay);
        setImmediate(() => {
          underWay--;
          done(undefined, structuredClone(payload));
        });
      },
    };
    const { latenciesMs } = await runWorkload(client, { inFlight: 8, payloadBytes: 64 }, 0);
    expect({ most, underWay, answers: latenciesMs.length }).toEqual({ most: 8, underWay: 0, answers: 8 });
  });

  it('refuses an answer that is not what was sent', async () => {
    const client = {
      request: (_payload: unknown, done: (error: undefined, answer: unknown) => void) =>
        setImmediate(done, undefined, {}),
    };
    await expect(runWorkload(client, { inFlight: 1, payloadBytes: 64 }, 0)).rejects.toThrow('not what was sent');
  });
});

describe('a summary', () => {
  it('has the middle of an even number of rounds between the two in the middle', () => {
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(quantile([1, 2, 3], 0.99)).toBeCloseTo(2.98);
    expect(summarize([])).toBeUndefined();
  });
});
