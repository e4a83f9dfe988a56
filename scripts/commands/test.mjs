import { prepare } from '../lib/prepare.mjs';
import { progressReporters, runVitest } from '../lib/vitest.mjs';

/**
 * `npm test`: runs the tests of every library and app, or those that the arguments choose. The arguments are vitest's
 * own.
 */
export async function command(stop) {
  await prepare(stop);
  return runVitest(progressReporters(), stop);
}
