// The lines from which .ci/run counts the tests of a run.
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { ROOT, ScriptRun } from './script-run.js';

const SPECS = {
  'mixed.spec.ts': `
    it('passes', () => undefined);
    it.skip('waits', () => undefined);
    it.todo('comes later');
    describe('a suite', () => it('fails', () => { throw new Error('expected'); }));`,
  'broken.spec.ts': `throw new Error('not\\nloaded');`,
  'hook.spec.ts': `
    beforeAll(() => { throw new Error('no server'); });
    it('is not reached', () => undefined);`,
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-totals-'));
  for (const [name, text] of Object.entries(SPECS)) await writeFile(join(folder, name), text);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});

afterAll(() => rm(folder, { recursive: true }));

it('each test has a line, and so has a file that fails outside its tests', async () => {
  const totals = join(folder, 'totals');
  const reporter = join(ROOT, 'test/support/totals-reporter.ts');
  const args = ['run', '--root', folder, '--globals', `--reporter=${reporter}`];
  const run = new ScriptRun([join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], { TEST_TOTALS: totals });
  expect(await run.end()).toMatchObject({ status: 1 });
  expect((await readFile(totals, 'utf8')).trim().split('\n').sort()).toEqual([
    'failed broken.spec.ts: not loaded',
    'failed hook.spec.ts: no server',
    'failed mixed.spec.ts > a suite > fails',
    'passed',
    'skipped',
    'skipped',
    'skipped',
  ]);
});
