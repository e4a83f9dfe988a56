import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createKeyFile } from '@sealwire/crypto';
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

/** The examples of the README: a server, and a client. */
async function readExamples(): Promise<readonly string[]> {
  const readme = await readFile(join(ROOT, 'libs', 'channel', 'README.md'), 'utf8');
  return [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, block = '']) => block);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-channel-'));
  const manifest = { private: true, type: 'module' };
  await installPacked(folder, manifest, new AbortController().signal, ['crypto', 'channel']);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('@sealwire/channel from its tarball', () => {
  it('runs the examples of its README in a project without Nest and RxJS', async () => {
    for (const name of ['@nestjs', 'rxjs']) expect(existsSync(join(folder, 'node_modules', name))).toBe(false);
    await createKeyFile(join(folder, 'aes_key.bin'));
    const [server = '', client = '', ...others] = await readExamples();
    expect(others).toEqual([]);
    expect(server.split('\n').length).toBeLessThanOrEqual(20);
    expect(client.split('\n').length).toBeLessThanOrEqual(20);
    const anyPort = server.replace('port: 4000', 'port: 0');
    await writeFile(join(folder, 'server.js'), `${anyPort}console.log('port', server.server.address().port);\n`);

    const serving = spawn(process.execPath, ['server.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let log = '';
    serving.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    try {
      await expect.poll(() => log).toMatch(/port \d+\n/);
      const [, port = ''] = /port (\d+)\n/.exec(log) ?? [];
      await writeFile(join(folder, 'client.js'), client.replace('port: 4000', `port: ${port}`));
      const { stdout } = await run(process.execPath, ['client.js'], { cwd: folder });
      expect(stdout).toBe('Hello world!\n');
      expect(log).toMatch(/REQUEST hello from 127\.0\.0\.1:\d+: world\n/);
      expect(log).toMatch(/EVENT noted from 127\.0\.0\.1:\d+: an event\n/);
    } finally {
      serving.kill('SIGTERM');
    }
    await expect.poll(() => serving.exitCode).toBe(0);
  });
});
