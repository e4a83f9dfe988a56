import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { installOn11, link, runOn11 } from '../lib/nest11.mjs';
import { compile, prepare } from '../lib/prepare.mjs';
import { ROOT } from '../lib/tool.mjs';

/** Tests of the apps and of the commands, which belong to this repository and run on its Nest. */
const NOT_TESTED = new Set(
  ['e2e/apps', 'processes/apps', 'processes/cli', 'processes/key-rotation.spec.ts', 'processes/scripts'].map((path) =>
    join(ROOT, 'test', path),
  ),
);

/**
 * `npm run test:nest11`: installs the libraries as npm would publish them, with Nest 11, in a folder of their own; there
 * runs every e2e test of the libraries, and compiles a consumer with the declarations of Nest 11 and 12. Links between
 * workspaces would still load Nest 12. The arguments are vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-nest11-'));
  try {
    const on11 = join(folder, 'nest11');
    await installOn11(on11, stop);
    await compileConsumer('Nest 11', on11, stop);
    await compileConsumer('Nest 12', await copyOn12(on11, join(folder, 'nest12')), stop);
    const filter = (path) => !NOT_TESTED.has(path);
    return await runOn11(on11, { tests: ['e2e', 'processes', 'support'], filter }, stop);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies the packages next to the Nest of this repository, and returns the folder. */
async function copyOn12(on11, folder) {
  await cp(join(on11, 'node_modules', '@sealwire'), join(folder, 'node_modules', '@sealwire'), { recursive: true });
  await cp(join(on11, 'package.json'), join(folder, 'package.json'));
  await link(folder, ['@nestjs', '@types/node', 'reflect-metadata', 'rxjs']);
  return folder;
}

async function compileConsumer(what, folder, stop) {
  await cp(join(ROOT, 'test', 'consumer'), join(folder, 'consumer'), { recursive: true });
  const complaint = await compile(['--project', join(folder, 'consumer')], stop);
  if (complaint !== undefined) throw new Failure(`A consumer does not compile with ${what}: ${complaint}`);
  console.log(`A strict consumer compiles with ${what}`);
}
