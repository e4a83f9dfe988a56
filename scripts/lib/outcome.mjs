import { appendFileSync } from 'node:fs';

/**
 * How a step ended.
 *
 * @typedef {{ outcome: 'ok' } | { outcome: 'failed', output: string } | { outcome: 'skipped', reason: string }} Outcome
 */

const TOTALS = { ok: 'passed', failed: 'failed', skipped: 'skipped' };

/**
 * Prints how a step ended, and appends a line to the file that the variable TEST_TOTALS names, if it does: .ci/run counts
 * these lines, as those of test/support/totals-reporter.ts.
 *
 * @param {string} what - The step.
 * @param {Outcome} result
 * @param {number} startMs - When the step began, by `performance.now()`.
 */
export function reportOutcome(what, result, startMs) {
  print(what, result, ((performance.now() - startMs) / 1000).toFixed(1));
  const { TEST_TOTALS: path } = process.env;
  if (path) appendFileSync(path, `${TOTALS[result.outcome]}${result.outcome === 'failed' ? ` ${what}` : ''}\n`);
}

function print(what, result, seconds) {
  switch (result.outcome) {
    case 'ok':
      return console.log(`ok      ${what} (${seconds} s)`);
    case 'failed':
      return console.error(`FAILED  ${what} (${seconds} s)\n${result.output}`);
    case 'skipped':
      return console.log(`skipped ${what} (${result.reason})`);
  }
}
