import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runInForeground } from './tool.mjs';

const BENCH = join(ROOT, 'test', 'bench');

/**
 * The command that builds, then runs a program of test/bench with the arguments of this process.
 *
 * @param {string} program
 */
export function commandOf(program) {
  /** @param {AbortSignal} stop */
  return async (stop) => {
    await prepare(stop, BENCH);
    return runInForeground(['--enable-source-maps', join(BENCH, 'dist', program), ...process.argv.slice(2)], stop);
  };
}
