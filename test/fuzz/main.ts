import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Progress } from '#scripts/progress.mjs';
import { reportFinding, reportResults } from './report.js';
import { runInput } from './run.js';
import type { Budget } from './run.js';
import type { Target } from './target.js';
import { TARGETS } from './targets/index.js';
import { watchTarget } from './watch.js';

const DEFAULT_MINUTES = 2;
const MS_PER_MINUTE = 60_000;

interface Options {
  readonly targets: readonly Target[];
  /** Of each target. */
  readonly budget: Budget;
  /** One input and nothing else. */
  readonly input: Buffer | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      only: { type: 'string' },
      inputs: { type: 'string' },
      from: { type: 'string', default: '0' },
      input: { type: 'string' },
    },
  });
  const targets = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
  if (targets.length === 0)
    throw new Error(`--only is ${values.only}; expected one of ${TARGETS.map(({ name }) => name).join(', ')}`);
  const inputs = values.inputs === undefined ? Infinity : wholeNumber('--inputs', values.inputs);
  const minutes = Number(values.minutes ?? (values.inputs === undefined ? DEFAULT_MINUTES : Infinity));
  if (!(minutes > 0)) throw new Error(`--minutes is ${values.minutes}; expected a number above 0`);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : wholeNumber('--seed', values.seed);
  const budget = {
    seed,
    from: wholeNumber('--from', values.from),
    inputs,
    ms: (minutes * MS_PER_MINUTE) / targets.length,
  };
  return { targets, budget, input: values.input === undefined ? undefined : Buffer.from(values.input, 'hex') };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name} is ${text}; expected a whole number of at most 10 digits`);
  return Number(text);
}

/** @returns Whether nothing was found. */
async function fuzz({ targets, budget }: Options): Promise<boolean> {
  console.log(`node ${process.versions.node}, seed ${budget.seed}`);
  const progress = new Progress();
  const results = [];
  for (const target of targets) {
    const result = await watchTarget(target, budget, (inputs) =>
      progress.show(`${target.name}: ${inputs.toLocaleString('en')} inputs`),
    );
    progress.clear();
    results.push(result);
    const seconds = (result.ms / 1000).toFixed(0);
    console.log(`${target.name}: ${result.inputs.toLocaleString('en')} inputs in ${seconds} s`);
    for (const line of result.finding === undefined ? [] : reportFinding(result.finding)) console.log(line);
  }
  for (const line of ['', ...reportResults(results)]) console.log(line);
  return results.every(({ finding }) => finding === undefined);
}

async function again(target: Target, input: Buffer): Promise<boolean> {
  const { outcome, wrong } = await runInput(target, input);
  await target.stop?.();
  console.log(`${target.name}: ${wrong ?? outcome}`);
  return wrong === undefined;
}

// A signal ends the run the ordinary way; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const options = readOptions();
  const [first] = options.targets;
  const isFine =
    options.input === undefined || first === undefined ? await fuzz(options) : await again(first, options.input);
  if (!isFine) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
