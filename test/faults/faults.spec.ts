// A few seeds of `npm run faults`, and clients that are broken on purpose, which have to be found.
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';

import type { Sender } from './caller.js';
import type { Rule } from './checker.js';
import { runScenario } from './run.js';
import type { RunOptions } from './run.js';
import { drawScenario } from './scenario.js';
import { summarize, sumOf } from './summary.js';

/** Scenarios without processes. */
const SEEDS = [4, 9, 10, 11];
/** No network fault reaches it, so that a broken client alone is to blame. */
const CALM = { ...drawScenario(SEEDS[0] ?? 0), durationMs: 300, harshness: 0, blows: [] };

async function rulesFoundIn(wrap: NonNullable<RunOptions['wrap']>): Promise<ReadonlySet<Rule>> {
  const { findings } = await runScenario(CALM, { wrap });
  return new Set(findings.map(({ rule }) => rule));
}

describe('a seed', () => {
  it.each(SEEDS)('%d injects faults, and finds nothing', async (seed) => {
    const scenario = drawScenario(seed);
    const { requests, events, outcomes, faults, findings } = summarize(scenario, await runScenario(scenario));
    expect(findings).toEqual([]);
    expect(requests + events).toBeGreaterThan(20);
    expect(outcomes['done']).toBeGreaterThan(0);
    expect(sumOf(faults)).toBeGreaterThan(1);
  });

  it('draws the same scenario each time, and another one for another seed', () => {
    expect(drawScenario(7)).toEqual(drawScenario(7));
    expect(drawScenario(7)).not.toEqual(drawScenario(8));
  });
});

describe('a client', () => {
  it('that emits twice is found', async () => {
    const emitTwice = (client: Sender): Sender => ({
      send: (pattern, data) => client.send(pattern, data),
      emit: (pattern, data) => {
        client.emit(pattern, data).subscribe({ error: () => undefined });
        return client.emit(pattern, data);
      },
    });
    expect(await rulesFoundIn(emitTwice)).toContain('doubled');
  });

  it('that acknowledges an event without sending it is found', async () => {
    const swallowEvent = (client: Sender): Sender => ({
      send: (pattern, data) => client.send(pattern, data),
      emit: () => of(),
    });
    expect(await rulesFoundIn(swallowEvent)).toContain('lost');
  });
});
