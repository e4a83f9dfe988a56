// A few seeds of `npm run faults`, and clients that are broken on purpose, which have to be found.
import { EMPTY, ignoreElements, map, merge, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';

import type { Sender } from './calls/caller.js';
import type { Rule } from './history/checker.js';
import { runScenario } from './run.js';
import { drawScenario } from './scenario.js';
import { Soak } from './soak-run.js';
import type { Tenth } from './soak-run.js';
import { add, NOTHING, summarize, sumOf } from './summary.js';

/** Scenarios without processes, of little more than a second each. */
const SEEDS = [50, 57, 59, 86, 127] as const;
/** No network fault reaches it, so that a broken client alone is to blame. */
const CALM = { ...drawScenario(SEEDS[0]), durationMs: 500, harshness: 0, blows: [] };

/** Runs a client whose `send` or `emit` is replaced. */
async function rulesFoundWith(broken: (client: Sender) => Partial<Sender>): Promise<ReadonlySet<Rule>> {
  const wrap = (client: Sender): Sender => ({
    send: (pattern, data) => client.send(pattern, data),
    emit: (pattern, data) => client.emit(pattern, data),
    ...broken(client),
  });
  const { findings } = await runScenario(CALM, { wrap });
  return new Set(findings.map(({ rule }) => rule));
}

describe('seeds', () => {
  it('inject faults, and find nothing', async () => {
    let total = NOTHING;
    for (const seed of SEEDS) {
      const scenario = drawScenario(seed);
      total = add(total, summarize(scenario, await runScenario(scenario)));
    }
    expect(total.findings).toEqual([]);
    expect(total).toMatchObject({ seeds: SEEDS.length, processSeeds: 0 });
    expect(total.outcomes['done']).toBeGreaterThan(50);
    expect(sumOf(total.faults)).toBeGreaterThan(20);
  });

  it('draw the same scenario each time, and another one for another seed', () => {
    expect(drawScenario(7)).toEqual(drawScenario(7));
    expect(drawScenario(7)).not.toEqual(drawScenario(8));
  });
});

describe('a client', () => {
  it('that is not broken has no finding in the calm run', async () => {
    expect(await rulesFoundWith(() => ({}))).toEqual(new Set());
  });

  it('that emits twice is found', async () => {
    const emitTwice = (client: Sender): Partial<Sender> => ({
      emit: (pattern, data) => {
        client.emit(pattern, data).subscribe({ error: () => undefined });
        return client.emit(pattern, data);
      },
    });
    expect(await rulesFoundWith(emitTwice)).toContain('doubled');
  });

  it('that acknowledges an event without sending it is found', async () => {
    expect(await rulesFoundWith(() => ({ emit: () => EMPTY }))).toContain('lost');
  });

  it('that swallows answers is found', async () => {
    const swallow = (client: Sender): Partial<Sender> => ({
      send: (pattern, data) => merge(client.send(pattern, data).pipe(ignoreElements()), NEVER),
    });
    expect(await rulesFoundWith(swallow)).toContain('pending');
  });

  it('that mixes up answers is found', async () => {
    let first: unknown;
    const mixUp = (client: Sender): Partial<Sender> => ({
      send: (pattern, data) => client.send(pattern, data).pipe(map((value) => (first ??= value))),
    });
    expect(await rulesFoundWith(mixUp)).toContain('wrong');
  });
});

describe('a soak', () => {
  it('makes all its calls over lost connections and restarts, and finds nothing', async () => {
    const tenths: Tenth[] = [];
    const options = { calls: 3_000, seed: 1, callsPerBlow: 300, onTenth: (tenth: Tenth) => tenths.push(tenth) };
    const result = await new Soak(options).run();
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({ requests: 1_500, events: 1_500, tenths });
    expect(tenths).toHaveLength(10);
    expect([...result.blows.values()].reduce((sum, count) => sum + count, 0)).toBe(10);
  });
});
