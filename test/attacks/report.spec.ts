import { describe, expect, it } from 'vitest';
import { NotLogged } from '../support/app-process.js';
import { NeverHeard } from '../support/rogue-peer.js';
import { falls, NotCarriedOut, stands, type Observation } from './attack.js';
import { formatLacking, formatResult, summarize } from './report.js';
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
  it('is as expected if the channel stands and the other targets fall', async () => {
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

  it('is not as expected if the channel falls, and reports what happened', async () => {
    const [result] = await run({ S: () => Promise.resolve(stands('ended', { 'a handler ran': true, other: false })) });
    expect(result).toMatchObject({ outcome: 'FALLS', saw: 'a handler ran (ended)' });
    expect(result && isAsExpected(result)).toBe(false);
  });

  it('is not as expected if a weak target stands', async () => {
    const [result] = await run({ M: () => Promise.resolve(falls('nothing', false)) });
    expect(result && isAsExpected(result)).toBe(false);
  });

  it.each(['L', 'S'] as const)('shows nothing if it breaks itself, against %s', async (target) => {
    const [result] = await run({ [target]: () => Promise.reject(new Error('no socket')) });
    expect(result).toMatchObject({ outcome: 'BROKEN', saw: 'no socket' });
    expect(result && isAsExpected(result)).toBe(false);
  });
});

describe('an attack that cannot be carried out', () => {
  it('is repeated, and judged by the first complete try', async () => {
    let tries = 0;
    const attempt = (): Promise<Observation> =>
      ++tries < 3 ? Promise.reject(new NotCarriedOut('nobody came')) : Promise.resolve(stands('did not', {}));
    expect(await run({ S: attempt })).toMatchObject([{ outcome: 'STANDS' }]);
    expect(tries).toBe(3);
  });

  it.each([
    ['reports so itself', new NotCarriedOut('nobody came')],
    ['loses its connection', Object.assign(new Error('nobody came'), { code: 'ECONNRESET' })],
    ['starts an app that does not start up', new NotLogged('nobody came')],
    ['is cut off while it waits', new NeverHeard('nobody came')],
  ])('is given up after three tries if it %s, with the reason, and is not as expected', async (_what, error) => {
    let tries = 0;
    const [result] = await run({ S: () => Promise.reject((tries++, error)) });
    expect(result).toMatchObject({ outcome: 'UNDONE', saw: 'not carried out in 3 tries: nobody came' });
    expect(result && isAsExpected(result)).toBe(false);
    expect(tries).toBe(3);
  });

  it('is not repeated if its own code fails', async () => {
    let tries = 0;
    await run({ S: () => Promise.reject((tries++, new TypeError('no such thing'))) });
    expect(tries).toBe(1);
  });
});

describe('an attack for which this machine lacks something', () => {
  const attack = { row: 41, name: 'tries', against: { S: () => Promise.reject(new Error()) }, lacks: 'a broker' };

  it('is not carried out, and named in the report', async () => {
    const results: Result[] = [];
    for await (const result of runAttacks([attack])) results.push(result);
    expect(results).toEqual([]);
    expect(formatLacking([attack])).toEqual(['not in this run: row 41, tries; this machine lacks a broker']);
  });
});

describe('the table of attacks', () => {
  it('has a line for each target with its outcome and time, and the observation below', () => {
    expect(formatResult(RESULT)).toEqual([
      '  6  repeats a message                             S  STANDS   1.2 s',
      '       handled once',
    ]);
  });

  it('marks unexpected outcomes, and repeats them at the end', () => {
    const fallen: Result = { ...RESULT, outcome: 'FALLS' };
    expect(formatResult(fallen)[0]).toContain('not as expected: STANDS');
    expect(summarize([RESULT, fallen, { ...RESULT, target: 'L', outcome: 'FALLS', expected: 'FALLS' }])).toEqual([
      'The secure channel stood 1 of 2 attacks.',
      'The weak targets fell to 1 of 1.',
      'Not as expected: row 6 against S FALLS',
    ]);
  });
});
