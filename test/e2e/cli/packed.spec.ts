import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { endAll, key, portOf, startServer } from '../../support/pair.js';
import { ROOT, ScriptRun } from '../scripts/script-run.js';

type InstallPacked = (folder: string, manifest: object, stop: AbortSignal) => Promise<void>;

const { installPacked } = (await import(join(ROOT, 'scripts/lib/packed.mjs'))) as { installPacked: InstallPacked };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-cli-'));
  await writeFile(join(folder, '.npmrc'), 'legacy-peer-deps=true\n'); // Nest and RxJS are peers
  await installPacked(folder, { private: true, type: 'module' }, new AbortController().signal);
});

afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(endAll);

const installed = (...args: readonly string[]) =>
  new ScriptRun([join(folder, 'node_modules', '.bin', 'sealwire'), ...args], {}, folder).end();

describe('sealwire from the tarball of the transport, without Nest and RxJS', () => {
  it('changes keyrings', async () => {
    for (const name of ['@nestjs', 'rxjs']) expect(existsSync(join(folder, 'node_modules', name))).toBe(false);
    expect(await installed('--version')).toMatchObject({ status: 0, stderr: '' });
    expect(await installed('keygen', 'ring.json', '--ring')).toMatchObject({ status: 0, stderr: '' });
    expect(await installed('keyring', 'install', 'ring.json', '--label', 'next')).toMatchObject({ status: 0 });
    expect(await installed('keyring', 'use', 'ring.json', 'next', '--yes')).toMatchObject({ status: 0 });
    expect((await installed('keyring', 'verify', 'ring.json')).stdout).toContain('a keyring of 2 keys');
  });

  it('talks to a server', async () => {
    const at = `127.0.0.1:${portOf(await startServer())}`;
    await writeFile(join(folder, 'key'), key, { mode: 0o600 });
    expect(await installed('ping', at, '--key', 'key')).toMatchObject({ status: 0, stderr: '' });
    expect(await installed('send', at, 'echo', '[1]', '--key', 'key', '--json')).toMatchObject({
      status: 0,
      stdout: `{"server":"${at}","answer":[1],"values":1}\n`,
    });
  });
});
