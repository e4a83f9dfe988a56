import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runInForeground } from './tool.mjs';

const BENCH = join(ROOT, 'test', 'bench');

/**
 * `npm run bench`: the arguments are those of test/bench/main.ts.
 *
 * @param {AbortSignal} stop
 */
export async function command(stop) {
  await prepare(stop, BENCH);
  return runInForeground(['--enable-source-maps', join(BENCH, 'dist', 'main.js'), ...process.argv.slice(2)], stop);
}
