import { join } from 'node:path';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

const PROGRESS_REPORTER = join(ROOT, 'test', 'support', 'progress-reporter.ts');

/** `npm test`: every test, or those that the arguments choose; the arguments are vitest's own. */
export async function command(stop) {
  await prepare(stop);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  return runInForeground([vitest, 'run', ...process.argv.slice(2), ...progress()], stop);
}

/** A total while the tests run, also where no terminal shows vitest's. */
function progress() {
  const isChosen = process.argv.some((argument) => argument.startsWith('--reporter'));
  return isChosen || process.stdout.isTTY ? [] : ['--reporter=default', `--reporter=${PROGRESS_REPORTER}`];
}
