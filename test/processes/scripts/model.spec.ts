// `npm run model` with a Spin and a compiler of the test's own: what it makes of their results.
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

let tools: string;

beforeEach(async () => {
  tools = await mkdtemp(join(tmpdir(), 'sealwire-tools-'));
  for (const name of ['cat', 'chmod', 'sh']) await symlink(`/bin/${name}`, join(tools, name));
});

afterEach(() => rm(tools, { recursive: true }));

async function addTool(name: string, ...lines: readonly string[]): Promise<void> {
  await writeFile(join(tools, name), ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(join(tools, name), 0o755);
}

/** A compiler whose programs print `result`, whatever they were made of. */
async function addTools(result: string): Promise<void> {
  await addTool('spin', 'exit 0');
  await addTool(
    'cc',
    '[ "$1" = --version ] && exit 0',
    'printf \'#!/bin/sh\\ncat <<END\\n%s\\nEND\\n\' "$RESULT" > pan; chmod +x pan'.replace('$RESULT', result),
  );
}

function check(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'model', ...args], { PATH: tools }).end();
}

describe.skipIf(process.platform === 'win32')('npm run model', () => {
  it('describes how to install a missing Spin', async () => {
    const { status, stderr } = await check();
    expect(status).toBe(1);
    expect(stderr).toBe('spin was not found: install it (apt-get install spin), then try again.\n');
  });

  it('fails when a model that was broken on purpose passes', async () => {
    await addTools('5 states, stored\nerrors: 0');
    const { status, stdout } = await check('--only', 'slots');
    expect(stdout).toContain('| slots | BROKEN_FREES_EARLY | assertions, no deadlock | violated | holds - WRONG | 5 |');
    expect(stdout).toContain('\n10 checks, 4 wrong\n');
    expect(status).toBe(1);
  });

  it('fails when a property is violated', async () => {
    await addTools('5 states, stored\nerrors: 1');
    const { status, stdout } = await check('--only', 'slots');
    expect(stdout).toContain('| slots | MAX=1 | counts_agree | holds | violated - WRONG | 5 |');
    expect(stdout).toContain('\n10 checks, 6 wrong\n');
    expect(status).toBe(1);
  });

  it.each(['5 states, stored', '5 states, stored\nerrors: 0\nWarning: Search not completed'])(
    'does not count an incomplete search as a result (%j)',
    async (result) => {
      await addTools(result);
      const { status, stderr } = await check('--only', 'closing');
      expect(status).toBe(1);
      expect(stderr).toMatch(/^The search through closing was not completed: /);
    },
  );

  it('lists its models', async () => {
    expect(await check('--only', 'nothing')).toMatchObject({
      status: 1,
      stderr: '--only is nothing; expected one of handshake, instance, closing, key-update, credit, renewal, slots.\n',
    });
  });
});
