import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { installPacked } from '../lib/packed.mjs';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runTool } from '../lib/tool.mjs';

/** How `nest new` of Nest 11 sets up the compiler, and how earlier ones did. */
const PROJECTS = ['tsconfig.json', 'tsconfig.commonjs.json'];

/**
 * `npm run test:jest`: an application of Nest 11 that is CommonJS and is tested with Jest takes both libraries, as npm would
 * publish them. It is compiled, started and tested with the Jest configuration that docs/migrating.md gives.
 */
export async function command(stop) {
  await prepare(stop);
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-jest-'));
  try {
    await cp(join(ROOT, 'test', 'jest'), folder, { recursive: true });
    const manifest = await readJson(join(folder, 'package.json'));
    manifest.jest = { ...manifest.jest, ...(await readDocumented()) };
    await installPacked(folder, manifest, stop);
    for (const project of PROJECTS) await checkProject(folder, project, stop);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a user copies. */
async function readDocumented() {
  const text = await readFile(join(ROOT, 'docs', 'migrating.md'), 'utf8');
  const block = /\n### Jest\n.*?\n```json\n(.*?)\n```\n/s.exec(text)?.[1];
  if (block === undefined) throw new Failure('docs/migrating.md has no block of JSON below "### Jest"');
  return JSON.parse(block).jest;
}

async function checkProject(folder, project, stop) {
  const [base, own] = await Promise.all([...new Set([PROJECTS[0], project])].map(readProject));
  const compilerOptions = { ...base.compilerOptions, ...own?.compilerOptions };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...base, compilerOptions }));
  const what = `An application with ${compilerOptions.module} and moduleResolution ${compilerOptions.moduleResolution}`;
  await run(`${what} compiles`, folder, ['node_modules/typescript/bin/tsc', '--pretty', 'false'], stop);
  await run(`${what} starts`, folder, ['dist/main.js'], stop);
  await run(`${what} passes its tests under Jest`, folder, ['node_modules/jest/bin/jest.js', '--no-cache'], stop);
}

function readProject(name) {
  return readJson(join(ROOT, 'test', 'jest', name));
}

async function readJson(path) {
  return JSON.parse(await readFile(path, 'utf8'));
}

async function run(what, folder, args, stop) {
  const { code, output } = await runTool(process.execPath, args, stop, folder);
  if (code !== 0) throw new Failure(`Not so: ${what}\n${output}`);
  console.log(what);
}
