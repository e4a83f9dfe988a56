import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runInForeground } from './tool.mjs';

const FUZZ = join(ROOT, 'test', 'fuzz');

/**
 * `npm run fuzz`: the arguments are those of test/fuzz/main.ts.
 *
 * @param {AbortSignal} stop
 */
export async function command(stop) {
  await prepare(stop);
  await prepare(stop, FUZZ); // holds the sources as well, and needs the built packages for what they import
  const main = join(FUZZ, 'dist', 'test', 'fuzz', 'main.js');
  return runInForeground(['--enable-source-maps', '--expose-gc', main, ...process.argv.slice(2)], stop);
}
