import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.mjs';
import { ROOT, runTool } from '../../scripts/lib/tool.mjs';

/** Makes a folder with the repository in its present state: what is committed or could be, not what is ignored. */
export async function cloneTo(folder, stop) {
  await git(['init', '--quiet', folder], stop);
  const listed = await git(['-C', ROOT, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], stop);
  const isKept = (error) => {
    if (error.code !== 'ENOENT') throw error; // deleted, and not committed yet
  };
  const paths = listed.split('\0').filter((path) => path !== '');
  await Promise.all(paths.map((path) => cp(join(ROOT, path), join(folder, path)).catch(isKept)));
  await git(['-C', folder, 'add', '--all'], stop); // resetClone() goes back to this state
}

/** Reverts the changes by the commands of a document, except ignored files: packages, builds and keys. */
export async function resetClone(folder, stop) {
  await git(['-C', folder, 'checkout', '--quiet', '--', '.'], stop);
  await git(['-C', folder, 'clean', '-d', '--force', '--quiet'], stop);
}

async function git(args, stop) {
  const { code, output } = await runTool('git', args, stop);
  if (code !== 0) throw new Failure(`git ${args.join(' ')} failed: ${output}`);
  return output;
}
