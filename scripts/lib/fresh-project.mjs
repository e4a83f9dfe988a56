import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ROOT } from './tool.mjs';

const SOURCES = join(ROOT, 'test', 'fresh-projects');

/**
 * Returns the steps that make a project of test/fresh-projects/projects.mjs, install it, and run its scripts.
 *
 * @param {object} project
 * @param {string} folder - Made by the steps. It has the name of the project.
 * @param {Readonly<Record<string, string>>} tarballs - The paths of the libraries, by the names of their packages.
 * @returns {readonly import('./steps.mjs').Step[]}
 */
export function stepsOf({ name, files = name, generator, packageManager, configure, scripts }, folder, tarballs) {
  const run = packageManager === undefined ? ['npm'] : execute(packageManager);
  const caller = packageManager?.name ?? 'npm';
  const write = async () => {
    await writeFiles(join(SOURCES, files), folder, tarballs);
    await configure?.(folder);
  };
  return [
    ...[packageManager, generator].filter((tool) => tool !== undefined).map((tool) => fetchStep(tool, dirname(folder))),
    ...(generator === undefined ? [] : [generateStep(generator, dirname(folder))]),
    { title: `${caller} install`, before: write, command: [...run, 'install'], cwd: folder },
    ...scripts.map((script) => ({ title: `${caller} run ${script}`, command: [...run, 'run', script], cwd: folder })),
  ];
}

function fetchStep(tool, cwd) {
  return { title: `npm exec ${tool.package}`, command: [...execute(tool), '--version'], cwd, isFetch: true };
}

function generateStep(tool, cwd) {
  return { title: `${tool.name} ${tool.args.join(' ')}`, command: [...execute(tool), ...tool.args], cwd };
}

function execute(tool) {
  return ['npm', 'exec', '--yes', `--package=${tool.package}`, '--', tool.name];
}

/** Adds the files of a project to what a generator has written. */
async function writeFiles(source, folder, tarballs) {
  await mkdir(folder, { recursive: true });
  const generated = await readManifest(folder);
  await cp(source, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
  const own = await readManifest(folder);
  const overrides = Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]));
  const merged = (field) => ({ ...generated[field], ...own[field] });
  const dependencies = fromTarballs(merged('dependencies'), overrides);
  const manifest = {
    ...generated,
    ...own,
    scripts: merged('scripts'),
    dependencies,
    devDependencies: merged('devDependencies'),
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, overrides }, undefined, 2));
  const ofPnpm = join(folder, 'pnpm-workspace.yaml');
  if (existsSync(ofPnpm)) await appendFile(ofPnpm, `overrides: ${JSON.stringify(overrides)}\n`); // JSON is YAML
}

async function readManifest(folder) {
  const path = join(folder, 'package.json');
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : {};
}

/**
 * Returns the dependencies with the overrides of direct ones, because npm wants a direct dependency and its override to
 * be the same.
 */
function fromTarballs(dependencies, overrides) {
  return Object.fromEntries(Object.entries(dependencies).map(([name, range]) => [name, overrides[name] ?? range]));
}
