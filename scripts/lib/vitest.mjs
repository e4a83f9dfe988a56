import { join } from 'node:path';
import { ROOT, runInForeground } from './tool.mjs';

const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const PROGRESS_REPORTER = join(ROOT, 'test', 'support', 'progress-reporter.ts');

/**
 * Runs vitest once, with the arguments of this process after its own.
 *
 * @param {readonly string[]} args - for vitest
 * @param {AbortSignal} stop
 * @returns {Promise<number>} The exit code.
 */
export function runVitest(args, stop) {
  return runInForeground([VITEST, 'run', ...args, ...process.argv.slice(2)], stop);
}

/** Returns the reporters that print a total while the tests run, because vitest does so on a terminal only. */
export function progressReporters() {
  const isChosen = process.argv.some((argument) => argument.startsWith('--reporter'));
  return isChosen || process.stdout.isTTY ? [] : ['--reporter=default', `--reporter=${PROGRESS_REPORTER}`];
}
