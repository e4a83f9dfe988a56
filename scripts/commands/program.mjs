import { join } from 'node:path';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

/** Builds everything and the project of a program, then runs it with the arguments of this process. */
export async function command(stop, { program: [folder, file] }) {
  await prepare(stop, ROOT, join(ROOT, folder));
  const [main, ...args] = [...(file === undefined ? [] : [file]), ...process.argv.slice(2)];
  const path = join(ROOT, folder, 'dist', main);
  return runInForeground(['--enable-source-maps', '--expose-gc', path, ...args], stop);
}
