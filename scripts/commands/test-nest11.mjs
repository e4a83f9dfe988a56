import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../lib/command.mjs';
import { installPacked } from '../lib/packed.mjs';
import { compile, prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

/** What is tested of the packages, and what these tests are made of. */
const TESTS = ['e2e', 'support'];

/** Tests of the apps and of the commands, which belong to this repository and run on its Nest. */
const NOT_TESTED = new Set(
  ['apps', 'cli', 'key-rotation-apps.spec.ts', 'scripts'].map((name) => join(ROOT, 'test', 'e2e', name)),
);

/**
 * `npm run test:nest11`: installs both libraries as npm would publish them, with Nest 11, in a folder of their own; there
 * runs every e2e test of the libraries, and compiles a consumer with the declarations of Nest 11 and 12. Links between
 * workspaces would still load Nest 12. The arguments are vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-nest11-'));
  try {
    const on11 = join(folder, 'nest11');
    await install(on11, stop);
    await compileConsumer('Nest 11', on11, stop);
    await compileConsumer('Nest 12', await copyOn12(on11, join(folder, 'nest12')), stop);
    return await runTests(on11, stop);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The packages with what test/nest11/package.json pins. */
async function install(folder, stop) {
  const manifest = JSON.parse(await readFile(join(ROOT, 'test', 'nest11', 'package.json'), 'utf8'));
  await installPacked(folder, manifest, stop);
  await link(folder, ['vitest', '@types/node']);
}

/** The same packages beside the Nest of this repository. */
async function copyOn12(on11, folder) {
  await cp(join(on11, 'node_modules', '@sealwire'), join(folder, 'node_modules', '@sealwire'), { recursive: true });
  await cp(join(on11, 'package.json'), join(folder, 'package.json'));
  await link(folder, ['@nestjs', '@types/node', 'reflect-metadata', 'rxjs']);
  return folder;
}

async function link(folder, names) {
  for (const name of names) {
    const path = join(folder, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), path, 'junction');
  }
}

async function compileConsumer(what, folder, stop) {
  await cp(join(ROOT, 'test', 'consumer'), join(folder, 'consumer'), { recursive: true });
  const complaint = await compile(['--project', join(folder, 'consumer')], stop);
  if (complaint !== undefined) throw new Failure(`A consumer does not compile with ${what}: ${complaint}`);
  console.log(`A strict consumer compiles with ${what}`);
}

async function runTests(folder, stop) {
  const filter = (path) => !NOT_TESTED.has(path);
  for (const path of TESTS) await cp(join(ROOT, 'test', path), join(folder, 'test', path), { recursive: true, filter });
  await linkSources(folder);
  await cp(join(ROOT, 'test', 'nest11', 'vitest.config.ts'), join(folder, 'vitest.config.ts'));
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  return runInForeground([vitest, 'run', '--root', folder, ...process.argv.slice(2)], stop);
}

/** Where tests import what no package exports, they find what was packed. */
async function linkSources(folder) {
  for (const library of ['crypto', 'channel', 'transport']) {
    await mkdir(join(folder, 'libs', library), { recursive: true });
    const dist = join(folder, 'node_modules', '@sealwire', library, 'dist');
    await symlink(dist, join(folder, 'libs', library, 'src'), 'junction');
  }
}
