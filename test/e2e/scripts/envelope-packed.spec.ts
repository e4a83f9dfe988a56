import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROOT } from './script-run.js';

type InstallPacked = (
  folder: string,
  manifest: object,
  stop: AbortSignal,
  libraries: readonly string[],
) => Promise<void>;

const { installPacked } = (await import(join(ROOT, 'scripts/lib/packed.mjs'))) as { installPacked: InstallPacked };
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-envelope-'));
  const manifest = { private: true, type: 'module' };
  await installPacked(folder, manifest, new AbortController().signal, ['crypto', 'envelope']);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('@sealwire/envelope from its tarball', () => {
  it('runs the example of its README, with no other package', async () => {
    expect((await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
      '@sealwire',
    ]);
    const readme = await readFile(join(ROOT, 'libs', 'envelope', 'README.md'), 'utf8');
    const [, example = ''] = /```js\n([^]*?)```/.exec(readme) ?? [];
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    await writeFile(join(folder, 'example.js'), example);
    const { stdout } = await run(process.execPath, ['example.js'], { cwd: folder });
    expect(stdout).toMatch(/^\{"id":17\} by [0-9a-f]{16}\nrefused: replay\n$/);
  });
});
