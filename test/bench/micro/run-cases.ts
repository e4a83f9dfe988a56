import { readFile } from 'node:fs/promises';
import { Bench } from 'tinybench';
import type { Machine } from '../machine.js';
import { summarize, type Summary } from '../measure.js';
import type { MicroCase } from './case.js';

export interface MicroPlan {
  readonly rounds: number;
  readonly runMs: number;
}

/** Nanoseconds of one call in each round, by the name of the way. */
export interface MicroResult {
  readonly name: string;
  readonly nanos: Readonly<Record<string, readonly number[]>>;
}

/** What `--json` writes. */
export interface MicroFile {
  readonly machine: Machine;
  readonly plan: MicroPlan;
  readonly cases: readonly MicroResult[];
}

export async function readMicroFile(path: string): Promise<MicroFile> {
  return JSON.parse(await readFile(path, 'utf8')) as MicroFile;
}

/** Runs every way in turn, round after round, so that whatever else the machine does meets all of them alike. */
export async function runCase({ name, ways, callsPerSample }: MicroCase, plan: MicroPlan): Promise<MicroResult> {
  const nanos = Object.fromEntries(ways.map((way): [string, number[]] => [way.name, []]));
  for (let round = 0; round < plan.rounds; round++) {
    const bench = new Bench({ time: plan.runMs, warmupTime: plan.runMs / 4, throws: true });
    for (const way of ways) {
      const run = (): void => {
        for (let call = 0; call < callsPerSample; call++) way.run();
      };
      const runAsync = async (): Promise<void> => {
        for (let call = 0; call < callsPerSample; call++) await way.run();
      };
      bench.add(way.name, way.isAsync ? runAsync : run);
    }
    for (const task of await bench.run()) {
      if ('latency' in task.result) nanos[task.name]?.push((task.result.latency.p50 * 1e6) / callsPerSample);
    }
  }
  return { name, nanos };
}

/** How many times as fast as the last way each of the others is, round by round. */
export function rateRatios({ nanos }: MicroResult): readonly { readonly ways: string; readonly ratio: Summary }[] {
  const names = Object.keys(nanos);
  const reference = names.at(-1) ?? '';
  return names.slice(0, -1).flatMap((name) => {
    const ratio = summarize((nanos[name] ?? []).map((each, round) => (nanos[reference]?.[round] ?? Number.NaN) / each));
    return ratio === undefined ? [] : [{ ways: `${name}/${reference}`, ratio }];
  });
}
