import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure, oneLine } from './failure.mjs';
import { npmCommand } from './prepare.mjs';
import { runTool } from './tool.mjs';

export const LIBRARIES = ['crypto', 'channel', 'envelope', 'transport', 'brokers'];

/**
 * Packs libraries as npm would publish them.
 *
 * @param {string} folder - Made if it is missing.
 * @param {AbortSignal} stop
 * @returns {Promise<Readonly<Record<string, string>>>} The paths of the tarballs, by the names of the packages.
 */
export async function packLibraries(folder, stop) {
  await mkdir(folder, { recursive: true });
  const workspaces = LIBRARIES.map((library) => `--workspace=@sealwire/${library}`);
  await npm(['pack', ...workspaces, '--pack-destination', folder], stop);
  const files = await readdir(folder);
  const tarballOf = (library) => files.find((file) => file.startsWith(`sealwire-${library}-`));
  return Object.fromEntries(LIBRARIES.map((library) => [`@sealwire/${library}`, join(folder, tarballOf(library))]));
}

/**
 * Installs libraries, as npm would publish them, with what `manifest` pins, in a folder of their own.
 *
 * @param {string} folder
 * @param {object} manifest - What its package.json is to be, without the libraries.
 * @param {AbortSignal} stop
 */
export async function installPacked(folder, manifest, stop) {
  const tarballs = await packLibraries(folder, stop);
  const dependencies = { ...manifest.dependencies, ...asDependencies(tarballs) };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
  await npm(['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], stop);
  console.log(`Installed ${describe({ ...dependencies, ...manifest.devDependencies })}`);
}

function asDependencies(tarballs) {
  return Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${basename(path)}`]));
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
