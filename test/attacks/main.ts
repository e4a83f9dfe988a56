import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Progress } from '#scripts/progress.mjs';
import { TARGETS, type Attack, type Target } from './attack.js';
import { formatLacking, formatResult, summarize, TABLE_HEAD } from './report.js';
import { ATTACKS } from './rows/index.js';
import { isAsExpected, runAttacks, type Result } from './run.js';

interface Plan {
  readonly rows: ReadonlySet<number>;
  readonly json: string | undefined;
}

function readPlan(): Plan {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'string' } } });
  const known = new Set(ATTACKS.map(({ row }) => row));
  if (values.only === undefined) return { rows: known, json: values.json };
  const rows = new Set(values.only.split(',').map(Number));
  const unknown = [...rows].filter((row) => !known.has(row));
  if (unknown.length > 0) throw new Error(`There is no row ${unknown.join(', ')}; there are ${[...known].join(', ')}`);
  return { rows, json: values.json };
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

async function attack({ rows, json }: Plan): Promise<void> {
  printLines([...Object.entries(TARGETS).map(([target, what]) => `${target}: ${what}`), '', TABLE_HEAD]);
  const results: Result[] = [];
  const attacks = ATTACKS.filter(({ row }) => rows.has(row));
  const progress = new Progress();
  const onStarted = ({ row, name }: Attack, target: Target): void =>
    progress.show(`row ${row}: ${name}, against ${target}`);
  for await (const result of runAttacks(attacks, onStarted)) {
    progress.clear();
    results.push(result);
    printLines(formatResult(result));
  }
  printLines(['', ...formatLacking(attacks), ...summarize(results)]);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (!results.every(isAsExpected)) process.exitCode = 1;
}

// A signal ends the run the ordinary way, so that nothing is left behind; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  await attack(readPlan());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
process.exit();
