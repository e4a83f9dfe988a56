import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

/** Builds everything and the project of a program, then runs it with the arguments of this process. */
export async function command(stop, { program: [folder, file] }) {
  await prepare(stop, ROOT, join(ROOT, folder));
  const [main, ...args] = [...(file === undefined ? [] : [file]), ...process.argv.slice(2)];
  const programs = join(ROOT, folder, 'dist');
  if (file === undefined) await checkProgram(main, programs);
  return runInForeground(['--enable-source-maps', '--expose-gc', join(programs, main), ...args], stop);
}

async function checkProgram(name, folder) {
  const names = (await readdir(folder)).filter((each) => each.endsWith('.js'));
  if (!names.includes(name)) throw new Failure(`There is no such program; choose one of ${names.join(', ')}.`);
}
