import { describe, expect, it } from 'vitest';
import { falls, stands } from './attack.js';
import { formatResult, summarize } from './report.js';
import { isAsExpected, runAttacks, type Result } from './run.js';

const RESULT: Result = {
  row: 6,
  name: 'repeats a message',
  target: 'S',
  outcome: 'STANDS',
  expected: 'STANDS',
  saw: 'handled once',
  milliseconds: 1234,
};

async function run(against: Parameters<typeof runAttacks>[0][number]['against']): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of runAttacks([{ row: 1, name: 'tries', against }])) results.push(result);
  return results;
}

describe('an attack', () => {
  it('is as expected where the channel stands and the others fall', async () => {
    const results = await run({
      L: () => Promise.resolve(falls('got it', true)),
      S: () => Promise.resolve(stands('did not', { 'a handler ran': false })),
    });
    expect(results).toMatchObject([
      { target: 'L', outcome: 'FALLS' },
      { target: 'S', outcome: 'STANDS' },
    ]);
    expect(results.every(isAsExpected)).toBe(true);
  });

  it('is not as expected where the channel falls, and says what happened', async () => {
    const [result] = await run({ S: () => Promise.resolve(stands('ended', { 'a handler ran': true, other: false })) });
    expect(result).toMatchObject({ outcome: 'FALLS', saw: 'a handler ran (ended)' });
    expect(result && isAsExpected(result)).toBe(false);
  });

  it('is not as expected where a weak target stands', async () => {
    const [result] = await run({ M: () => Promise.resolve(falls('nothing', false)) });
    expect(result && isAsExpected(result)).toBe(false);
  });

  it.each(['L', 'S'] as const)('shows nothing where it breaks itself, against %s', async (target) => {
    const [result] = await run({ [target]: () => Promise.reject(new Error('no socket')) });
    expect(result).toMatchObject({ outcome: 'BROKEN', saw: 'no socket' });
    expect(result && isAsExpected(result)).toBe(false);
  });
});

describe('the table of attacks', () => {
  it('has a line for each target with its outcome and time, and what was seen below', () => {
    expect(formatResult(RESULT)).toEqual([
      '  6  repeats a message                             S  STANDS   1.2 s',
      '       handled once',
    ]);
  });

  it('marks what is not as expected, and repeats it at the end', () => {
    const fallen: Result = { ...RESULT, outcome: 'FALLS' };
    expect(formatResult(fallen)[0]).toContain('not as expected: STANDS');
    expect(summarize([RESULT, fallen, { ...RESULT, target: 'L', outcome: 'FALLS', expected: 'FALLS' }])).toEqual([
      'The secure channel stood 1 of 2 attacks.',
      'The weak targets fell to 1 of 1.',
      'Not as expected: row 6 against S FALLS',
    ]);
  });
});
