import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { mutate, pieces } from './mutate.js';
import { Random } from '../support/random.js';
import { reportFinding, reportResults } from './report.js';
import { inputOf, runInput, runTarget } from './run.js';
import { hold, OK } from './target.js';
import type { Target } from './target.js';
import { TARGETS } from './targets/index.js';

const INPUTS = 40;
const UNLIMITED = { seed: 1, from: 0, inputs: INPUTS, ms: 60_000 };
const ignore = (): void => undefined;

function targetOf(run: Target['run'], codes: readonly string[] = []): Target {
  return { name: 'a target', codes, make: (random) => random.bytes(4), run };
}

describe('every target', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s accepts its own inputs', async (_, target) => {
    await fc.assert(
      // A smaller seed makes no smaller input.
      fc.asyncProperty(fc.noShrink(fc.nat()), async (seed) => {
        const input = inputOf(target, seed, 0);
        expect((await runInput(target, input)).wrong, input.toString('hex')).toBeUndefined();
      }),
      { numRuns: INPUTS },
    );
  });

  it.each(TARGETS.map((target) => [target.name, target] as const))('%s reproduces its results', async (_, target) => {
    for (let at = 0; at < 5; at++) {
      const outcomes = [];
      for (let run = 0; run < 2; run++) outcomes.push(await runInput(target, inputOf(target, 9, at)));
      expect(outcomes[1]).toEqual(outcomes[0]);
    }
  });
});

describe('a run', () => {
  // As in the process of a real run: what was left before it is not counted.
  beforeAll(() => {
    setFlagsFromString('--expose-gc');
    vi.stubGlobal('gc', runInNewContext('gc'));
  });

  afterAll(() => vi.unstubAllGlobals());

  it('counts outcomes and reports the number of each input before it runs', async () => {
    const begun: number[] = [];
    const target = targetOf((input) => ((input[0] ?? 0) < 128 ? OK : 'ERR_A'), ['ERR_A']);
    const result = await runTarget(target, { ...UNLIMITED, from: 3 }, (at) => begun.push(at));
    expect([...result.outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(INPUTS);
    expect(begun).toEqual(Array.from({ length: INPUTS }, (_, i) => 3 + i));
    expect(result).toMatchObject({ inputs: INPUTS, finding: undefined });
  });

  it.each([
    ['a code that is not an outcome', (): string => 'ERR_B'],
    ['an unknown error', (): string => String((undefined as unknown as string).length)],
    ['a condition that does not hold', (): string => (hold(false, 'it is false'), OK)],
    ['a rejection', (): Promise<string> => Promise.reject(new Error('late'))],
  ])('stops at %s, and prints how to reproduce it', async (_, run) => {
    const target = targetOf(run, ['ERR_A']);
    const { inputs, finding } = await runTarget(target, UNLIMITED, ignore);
    expect(inputs).toBe(1);
    expect(finding).toMatchObject({ at: 0, seed: 1, hex: inputOf(target, 1, 0).toString('hex') });
    if (finding !== undefined) expect(reportFinding(finding).at(-1)).toContain(`--input ${finding.hex}`);
  });

  it('detects growing memory', async () => {
    const kept: number[][] = [];
    const target = targetOf(() => {
      kept.push(Array.from({ length: 4096 }, (_, i) => i + 0.5));
      return OK;
    });
    const { finding } = await runTarget(target, { ...UNLIMITED, inputs: 3000 }, ignore);
    expect(finding?.what).toMatch(/^memory has grown by \d+ bytes$/);
    expect(kept).toHaveLength(3000);
  });

  it('is a line of the table, which also shows its finding', async () => {
    const fine = await runTarget(
      targetOf(() => OK),
      UNLIMITED,
      ignore,
    );
    const found = await runTarget(
      targetOf(() => 'ERR_B'),
      UNLIMITED,
      ignore,
    );
    const lines = reportResults([fine, found]);
    expect(lines[2]).toMatch(/^\| a target \| 40 \| .* \| ok 40 \|$/);
    expect(lines[3]).toMatch(/\| FOUND \|$/);
    expect(lines.at(-1)).toBe('41 inputs, 1 findings');
  });
});

describe('random numbers', () => {
  it('are the same for the same seed and others for another', () => {
    const numbers = (...seed: number[]): Buffer => new Random(...seed).bytes(64);
    expect(numbers(1, 2)).toEqual(numbers(1, 2));
    for (const other of [numbers(2, 1), numbers(1, 3), numbers(1), numbers(1, 2, 0)]) {
      expect(other).not.toEqual(numbers(1, 2));
    }
  });

  it('below a limit reach all of it and nothing else', () => {
    const random = new Random(5);
    expect(new Set(Array.from({ length: 500 }, () => random.below(7)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  it('change bytes in a copy', () => {
    const random = new Random(6);
    const bytes = Buffer.alloc(20, 7);
    const changed = Array.from({ length: 200 }, () => mutate(bytes, random)).filter((each) => !each.equals(bytes));
    expect(changed.length).toBeGreaterThan(150);
    expect(bytes).toEqual(Buffer.alloc(20, 7));
  });

  it('cut bytes into non-empty pieces', () => {
    const bytes = new Random(7).bytes(300);
    const cut = [...pieces(bytes, 9, new Random(8))];
    expect(Buffer.concat(cut)).toEqual(bytes);
    expect(cut.every(({ length }) => length >= 1 && length <= 9)).toBe(true);
  });
});
