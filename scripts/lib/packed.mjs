import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, oneLine } from './command.mjs';
import { npmCommand } from './prepare.mjs';
import { runTool } from './tool.mjs';

export const LIBRARIES = ['crypto', 'channel', 'envelope', 'transport', 'brokers'];

/**
 * Installs libraries, as npm would publish them, with what `manifest` pins, in a folder of their own.
 *
 * @param {string} folder
 * @param {object} manifest - What its package.json is to be, without the libraries.
 * @param {AbortSignal} stop
 * @param {readonly string[]} libraries
 */
export async function installPacked(folder, manifest, stop, libraries = LIBRARIES) {
  await mkdir(folder, { recursive: true });
  const workspaces = libraries.map((library) => `--workspace=@sealwire/${library}`);
  await npm(['pack', ...workspaces, '--pack-destination', folder], stop);
  const dependencies = { ...manifest.dependencies };
  for (const file of await readdir(folder)) {
    const library = /^sealwire-(\w+)-.*\.tgz$/.exec(file)?.[1];
    if (library !== undefined) dependencies[`@sealwire/${library}`] = `file:${file}`;
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
  await npm(['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], stop);
  console.log(`Installed ${describe({ ...dependencies, ...manifest.devDependencies })}`);
}

async function npm(args, stop) {
  const [program, ...first] = npmCommand();
  const { code, output } = await runTool(program, [...first, ...args, '--loglevel=error'], stop);
  if (code !== 0) throw new Failure(`npm ${args[0]} failed: ${oneLine(output)}`);
}

function describe(dependencies) {
  return Object.entries(dependencies)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
