import { join } from 'node:path';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

/**
 * `node scripts/run.mjs program FOLDER FILE …`: builds everything and the project in FOLDER, then runs FILE of its dist/ with
 * the arguments that follow.
 */
export async function command(stop) {
  const [folder, file, ...args] = process.argv.slice(2);
  await prepare(stop, ROOT, join(ROOT, folder));
  return runInForeground(['--enable-source-maps', '--expose-gc', join(ROOT, folder, 'dist', file), ...args], stop);
}
