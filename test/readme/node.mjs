import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.mjs';
import { runTool } from '../../scripts/lib/tool.mjs';

/**
 * Returns the folder of a Node of that major version: the running one, or one that it installs into `folder`.
 *
 * @param {string} major
 * @param {string} folder
 * @param {AbortSignal} stop
 */
export async function nodeFolder(major, folder, stop) {
  if (process.versions.node.startsWith(`${major}.`)) return dirname(process.execPath);
  await mkdir(folder, { recursive: true });
  const name = `node-${process.platform}-${process.arch}`;
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${major}`];
  const { code, output } = await runTool('npm', args, stop);
  if (code !== 0) throw new Failure(`Installing ${name}@${major} failed: ${output}`);
  return join(folder, 'node_modules', name, 'bin');
}

const OF_NPM = /^(?:npm_(?!config_(?:registry|cache|userconfig|noproxy)$)|INIT_CWD$|NODE$)/i;
const OF_THE_APPS = /^(?:SEALWIRE_|HEALTH_|LOG_|HTTP_(?!PROXY$))/;
const FOLDER_OF_NPM = /node_modules[/\\].bin|node-gyp-bin/;

/** Returns the environment of a new terminal, with that Node first in the PATH. */
export function terminalEnvironment(folder) {
  const kept = Object.entries(process.env).filter(([name]) => !OF_NPM.test(name) && !OF_THE_APPS.test(name));
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !FOLDER_OF_NPM.test(entry));
  // Packages that were fetched for one Node come from the cache for the next.
  return { ...Object.fromEntries(kept), PATH: [folder, ...path].join(delimiter), npm_config_prefer_offline: 'true' };
}
