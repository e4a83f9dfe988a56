import { parseArgs } from 'node:util';

import { Progress } from '#scripts/progress.mjs';

import { reportFinding, reportProgress, reportSummary } from './report.js';
import { runSeed } from './seed.js';
import { SeedWorker } from './seed-worker.js';
import { add, NOTHING } from './summary.js';
import type { Summary } from './summary.js';

const MAX_JOBS = 64;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  /** This seed alone, in this process. */
  readonly seed: number | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '50' },
      jobs: { type: 'string', default: '3' },
      seed: { type: 'string' },
    },
  });
  const jobs = wholeNumber('--jobs', values.jobs);
  if (jobs < 1 || jobs > MAX_JOBS) throw new Error(`--jobs is ${jobs}, but must be 1 to ${MAX_JOBS}`);
  return {
    from: wholeNumber('--from', values.from),
    seeds: wholeNumber('--seeds', values.seeds),
    jobs,
    seed: values.seed === undefined ? undefined : wholeNumber('--seed', values.seed),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} is ${text}, but must be a whole number`);
  return Number(text);
}

/** Runs the seeds in a few processes side by side. */
async function runAll({ from, seeds, jobs }: Options): Promise<Summary> {
  let total = NOTHING;
  let next = from;
  const progress = new Progress();
  const work = async (worker: SeedWorker): Promise<void> => {
    while (next < from + seeds) {
      const summary = await worker.run(next++);
      total = add(total, summary);
      if (summary.findings.length > 0) progress.clear();
      for (const finding of summary.findings) printLines(reportFinding(finding));
      progress.show(reportProgress(total, seeds));
    }
    worker.end();
  };
  await Promise.all(Array.from({ length: jobs }, () => work(new SeedWorker())));
  progress.clear();
  return total;
}

async function runOne(seed: number): Promise<Summary> {
  const summary = await runSeed(seed);
  for (const finding of summary.findings) printLines(reportFinding(finding));
  return summary;
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

// A signal ends the run the ordinary way, and the processes that it started end with it; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const options = readOptions();
  console.log(`node ${process.versions.node}`);
  const summary = options.seed === undefined ? await runAll(options) : await runOne(options.seed);
  printLines(['', ...reportSummary(summary)]);
  process.exitCode = summary.findings.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
