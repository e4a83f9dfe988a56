// What `npm start` and `npm test` do before anything else, in a copy of the scripts with an npm and a compiler of the test's own.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const LOCK = {
  packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } },
};

let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'sealwire-clone-'));
  await cp(join(ROOT, 'scripts'), join(copy, 'scripts'), { recursive: true });
  await write('package-lock.json', JSON.stringify(LOCK));
  await write('npm-cli.js', 'process.exit(0);');
  await write('node_modules/typescript/bin/tsc', 'process.exit(0);');
  await write(
    'node_modules/vitest/vitest.mjs',
    'console.log("tests", ...process.argv.slice(2)); process.exitCode = 3;',
  );
});

afterEach(() => rm(copy, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(copy, path)), { recursive: true });
  await writeFile(join(copy, path), text);
}

/** What npm notes about the packages that it installed. */
function noteInstalled(packages: object): Promise<void> {
  return write('node_modules/.package-lock.json', JSON.stringify({ packages }));
}

function runTests(...args: readonly string[]): Promise<Ended> {
  const script = join(copy, 'scripts/run.mjs');
  return new ScriptRun([script, 'test', ...args], { npm_execpath: join(copy, 'npm-cli.js') }).end();
}

/** What takes longer than a moment is announced on stdout. */
const failsWith = (line: RegExp) => ({
  status: 1,
  stdout: expect.stringMatching(/^(?:Installing|Building|)[^\n]*\n?$/),
  stderr: expect.stringMatching(line),
});

describe('npm test', () => {
  it('passes its arguments to the test runner and returns its exit code', async () => {
    await noteInstalled({ 'node_modules/a': { version: '1.0.0' } });
    expect(await runTests('--reporter=dot', 'wire')).toEqual({
      status: 3,
      stdout: 'tests run --reporter=dot wire\n',
      stderr: '',
    });
  });

  it('shows a total while the tests run, also without a terminal', async () => {
    await noteInstalled({ 'node_modules/a': { version: '1.0.0' } });
    expect((await runTests('wire')).stdout).toMatch(/ --reporter=default --reporter=\S+progress-reporter\.ts wire\n$/);
  });

  it.each([
    ['nothing was installed', undefined],
    ['a package is missing', {}],
    ['a package has another version', { 'node_modules/a': { version: '0.9.0' } }],
  ])('installs from the lock file if %s', async (_what, installed) => {
    if (installed !== undefined) await noteInstalled(installed);
    await write('npm-cli.js', 'require("node:fs").writeFileSync("npm-arguments", process.argv.slice(2).join(" "));');
    expect(await runTests()).toMatchObject({ status: 3 });
    expect(await readFile(join(copy, 'npm-arguments'), 'utf8')).toMatch(/^ci /);
  });

  it('installs nothing if only optional packages are missing', async () => {
    await noteInstalled({ 'node_modules/a': { version: '1.0.0' } });
    await write('npm-cli.js', 'process.exit(1);');
    expect(await runTests()).toMatchObject({ status: 3 });
  });

  it('reports in one line why installing failed', async () => {
    await write(
      'npm-cli.js',
      `console.error('npm warn old'); console.error('npm error code ENOTFOUND\\nnpm error syscall getaddrinfo\\nnpm error no such host\\nnpm error at once'); process.exit(1);`,
    );
    expect(await runTests()).toEqual(failsWith(/^Installing failed \(ENOTFOUND; `npm ci` .*\): no such host\n$/));
  });

  it('reports in one line why building failed', async () => {
    await noteInstalled({ 'node_modules/a': { version: '1.0.0' } });
    await write(
      'node_modules/typescript/bin/tsc',
      `console.log("a.ts(1,2): error TS1: wrong\\n  because\\nb.ts(3,4): error TS2: too"); process.exit(2);`,
    );
    expect(await runTests()).toEqual(
      failsWith(/^Building failed \(`npm run build` .*\): a\.ts\(1,2\): error TS1: wrong \(and 1 more\)\n$/),
    );
  });

  it('reports in one line that the lock file is damaged', async () => {
    await write('package-lock.json', '<<<<<<< ours');
    expect(await runTests()).toEqual(failsWith(/^package-lock\.json is missing or damaged: .*\n$/));
  });
});

describe('every command', () => {
  it.each(['start', 'test', 'bench', 'keys', 'new-handler'])('refuses an old Node in one line: %s', async (name) => {
    const old = 'Object.defineProperty(process, "versions", { value: { node: "20.18.3" } })';
    const script = join(ROOT, 'scripts/run.mjs');
    expect(await new ScriptRun(['--import', `data:text/javascript,${old}`, script, name]).end()).toEqual(
      failsWith(/^Node 20\.18\.3 is too old for Sealwire: install Node 20\.19\.0 or newer, .*\n$/),
    );
  });

  it('requires the Node version in package.json', async () => {
    const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(engines.node).toBe('>=20.19.0');
  });
});
