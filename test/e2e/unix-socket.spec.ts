import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { keyring, listen } from '../support/pair.js';

let directory: string;
let path: string;
let server: SealwireServer | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-path-'));
  path = join(directory, 's.sock');
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
});

function start(): Promise<void> {
  server = new SealwireServer({ path, keyring });
  server.addHandler('echo', (data: unknown) => Promise.resolve(data));
  return listen(server);
}

async function echo(): Promise<unknown> {
  const client = new SealwireClient({ path, keyring });
  try {
    return await firstValueFrom(client.send('echo', 'hello'));
  } finally {
    await client.close();
  }
}

describe('a server on a Unix domain socket', () => {
  it('serves there, open to its owner alone, and removes the socket when it closes', async () => {
    await start();
    expect(await echo()).toBe('hello');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await server?.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes the place of one that was killed', async () => {
    const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))`;
    const killed = spawn(process.execPath, ['-e', script, path]);
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    await start();
    expect(await echo()).toBe('hello');
  });

  it('does not take the place of one that listens, nor of a file', async () => {
    await start();
    const second = new SealwireServer({ path, keyring });
    await expect(listen(second)).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect(await echo()).toBe('hello');
    await server?.close();
    await writeFile(path, 'precious');
    await expect(start()).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect((await stat(path)).size).toBe(8);
  });
});
