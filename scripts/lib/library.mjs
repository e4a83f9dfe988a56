import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './prepare.mjs';
import { ROOT } from './tool.mjs';

/**
 * A library as built; built first, where it is not.
 *
 * @param {string} entry - below `libs/`, such as `crypto/dist/index.js`
 * @param {AbortSignal} stop
 */
export async function importLibrary(entry, stop) {
  const path = join(ROOT, 'libs', entry);
  if (!existsSync(path)) await prepare(stop, join(ROOT, 'libs', entry.split('/')[0]));
  return import(pathToFileURL(path).href);
}

/**
 * npm runs scripts at the top of the repository; a path is meant from where the user stands.
 *
 * @param {string} path
 * @param {string} script - the name of the npm script that may be running
 */
export function located(path, script) {
  const runByNpm = process.env.npm_lifecycle_event === script;
  return resolve((runByNpm && process.env.INIT_CWD) || process.cwd(), path);
}
