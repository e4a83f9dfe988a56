import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './prepare.mjs';
import { ROOT } from './tool.mjs';

/**
 * Imports a built library. Builds it first if it was not built.
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
 * Returns the absolute path. It is relative to the folder of the user, but npm runs scripts at the top of the
 * repository.
 *
 * @param {string} path
 * @param {string} script - the name of the npm script that may be running
 */
export function located(path, script) {
  const runByNpm = process.env.npm_lifecycle_event === script;
  return resolve((runByNpm && process.env.INIT_CWD) || process.cwd(), path);
}
