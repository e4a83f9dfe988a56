import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../../scripts/lib/command.mjs';
import { ROOT, runTool } from '../../scripts/lib/tool.mjs';

/**
 * Clones the repository in its present state: the last commit, and later changes that are not ignored.
 *
 * @param {string} folder - to be made
 * @param {AbortSignal} stop
 */
export async function cloneTo(folder, stop) {
  await git(['clone', '--quiet', ROOT, folder], stop);
  const changed = await git(['-C', ROOT, 'diff', '--name-only', '--no-renames', '-z', 'HEAD'], stop);
  const added = await git(['-C', ROOT, 'ls-files', '--others', '--exclude-standard', '-z'], stop);
  const paths = `${changed}${added}`.split('\0').filter((path) => path !== '');
  await Promise.all(paths.map((path) => copyChange(path, folder)));
  // resetClone() goes back to this state.
  await git(['-C', folder, 'add', '--all'], stop);
}

/** Reverts the changes by the commands of a document, except ignored files: packages, builds and keys. */
export async function resetClone(folder, stop) {
  await git(['-C', folder, 'checkout', '--quiet', '--', '.'], stop);
  await git(['-C', folder, 'clean', '-d', '--force', '--quiet'], stop);
}

async function copyChange(path, folder) {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  await cp(join(ROOT, path), target).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    return rm(target, { force: true });
  });
}

async function git(args, stop) {
  const { code, output } = await runTool('git', args, stop);
  if (code !== 0) throw new Failure(`git ${args.join(' ')} failed: ${output}`);
  return output;
}
