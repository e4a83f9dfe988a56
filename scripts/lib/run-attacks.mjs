import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runInForeground } from './tool.mjs';

const ATTACKS = join(ROOT, 'test', 'attacks');
const MAIN = join(ATTACKS, 'dist', 'test', 'attacks', 'main.js');

/**
 * `npm run attacks`: the arguments are those of test/attacks/main.ts.
 *
 * @param {AbortSignal} stop
 */
export async function command(stop) {
  await prepare(stop); // the built apps are attacked too
  await prepare(stop, ATTACKS);
  return runInForeground(['--enable-source-maps', MAIN, ...process.argv.slice(2)], stop);
}
