import { parseArgs } from 'node:util';
import { GROUPS, QUICK_GROUPS, type Group } from './groups.js';
import type { Plan } from './rounds.js';

/** Enough for the code of every peer that connects. */
const WARM_UP_CONNECTIONS = 3000;
const QUICK = { rounds: 5, runMs: 400, warmUpMs: 300 }; // under a minute
const LONG = { rounds: 7, runMs: 1000, warmUpMs: 1000 };

export interface BenchOptions {
  readonly groups: readonly Group[];
  readonly plan: Plan;
  /** Whether the headline ratios come first, and everything else when all is measured. */
  readonly headlinesFirst: boolean;
  readonly jsonFile: string | undefined;
}

/** Throws an `Error` that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      'run-ms': { type: 'string' },
      'warm-up-connections': { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const defaults = values.quick ? QUICK : LONG;
  const runMs = readCount('--run-ms', values['run-ms'], defaults.runMs);
  return {
    groups: chooseGroups(values.quick ? QUICK_GROUPS : GROUPS, values.only),
    plan: {
      rounds: readCount('--rounds', values.rounds, defaults.rounds),
      runMs,
      warmUpMs: Math.min(defaults.warmUpMs, runMs),
      warmUpConnections: readCount('--warm-up-connections', values['warm-up-connections'], WARM_UP_CONNECTIONS),
      profileFolder: values.profile,
    },
    headlinesFirst: values.quick,
    jsonFile: values.json,
  };
}

function chooseGroups(groups: readonly Group[], names: readonly string[] | undefined): readonly Group[] {
  if (names === undefined) return groups;
  return names.map((name) => {
    const group = groups.find((each) => each.name === name);
    if (group !== undefined) return group;
    throw new Error(`--only takes ${groups.map((each) => each.name).join(', ')}; not ${name}`);
  });
}

export function readCount(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`${option} takes a whole number from 1 on, not ${text}`);
}
