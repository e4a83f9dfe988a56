import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runInForeground } from './tool.mjs';

/**
 * `npm test`: every test, or those that the arguments choose; the arguments are vitest's own.
 *
 * @param {AbortSignal} stop
 */
export async function command(stop) {
  await prepare(stop);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  return runInForeground([vitest, 'run', ...process.argv.slice(2)], stop);
}
