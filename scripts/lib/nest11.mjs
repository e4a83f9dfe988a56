import { cp, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installPacked, LIBRARIES } from './packed.mjs';
import { ROOT } from './tool.mjs';
import { runVitest } from './vitest.mjs';

/**
 * Installs the libraries as npm would publish them, with Nest 11 and what else test/nest11/package.json pins.
 *
 * @param {string} folder
 * @param {AbortSignal} stop
 */
export async function installOn11(folder, stop) {
  const manifest = JSON.parse(await readFile(join(ROOT, 'test', 'nest11', 'package.json'), 'utf8'));
  await installPacked(folder, manifest, stop);
  await link(folder, ['vitest', '@types/node']);
}

/** Gives a folder packages of this repository. */
export async function link(folder, names) {
  for (const name of names) {
    const path = join(folder, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { recursive: true, force: true }); // a package that was installed may have brought its own
    await symlink(join(ROOT, 'node_modules', name), path, 'junction');
  }
}

/**
 * Runs tests in a folder that {@link installOn11} has made.
 *
 * @param {string} folder
 * @param {{ tests: readonly string[], filter?: (path: string) => boolean }} which - The folders below `test/` to copy.
 * @param {AbortSignal} stop
 */
export async function runOn11(folder, { tests, filter }, stop) {
  for (const path of tests) await cp(join(ROOT, 'test', path), join(folder, 'test', path), { recursive: true, filter });
  await linkSources(folder);
  await cp(join(ROOT, 'test', 'nest11', 'vitest.config.ts'), join(folder, 'vitest.config.ts'));
  return runVitest(['--root', folder], stop);
}

/** Links the folders of the sources to the packed files, for tests that import files which no package exports. */
async function linkSources(folder) {
  for (const library of LIBRARIES) {
    await mkdir(join(folder, 'libs', library), { recursive: true });
    const dist = join(folder, 'node_modules', '@sealwire', library, 'dist');
    await symlink(dist, join(folder, 'libs', library, 'src'), 'junction');
  }
}
