import { describe, expect, it } from 'vitest';
import { callsFor } from './case.js';
import { codecCases } from './codecs.js';
import { envelopeCases } from './envelope.js';
import { handshakeCases } from './handshake.js';
import { rateRatios, runCase } from './run-cases.js';
import { sealCases } from './seal.js';

const ALL = [...sealCases(), ...codecCases(), ...handshakeCases(), ...envelopeCases()];

describe('a micro-benchmark', () => {
  it.each(ALL)('$name does its work in every way, time after time', async ({ ways }) => {
    for (const way of ways) for (let call = 0; call < 3; call++) await way.run();
    expect(ways.length).toBeGreaterThan(1);
  });

  it('measures every way once a round', async () => {
    let calls = 0;
    const ways = ['ours', 'plain'].map((name) => ({ name, run: () => calls++ }));
    const { nanos } = await runCase({ name: 'nothing', ways, callsPerSample: 2 }, { rounds: 3, runMs: 1 });
    expect(Object.values(nanos).map((rounds) => rounds.length)).toEqual([3, 3]);
    expect(calls).toBeGreaterThan(0);
  });

  it('compares round by round with the last way', () => {
    const nanos = { ours: [1, 10], plain: [2, 40] };
    expect(rateRatios({ name: 'nothing', nanos })).toEqual([
      { ways: 'ours/plain', ratio: { median: 3, min: 2, max: 4 } },
    ]);
  });

  it('takes more calls in a sample the less each does', () => {
    expect([40, 5000, 64_000, 1e9].map(callsFor)).toEqual([31, 5, 1, 1]);
  });
});
