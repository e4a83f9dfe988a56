import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { link, lstat, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { removeStaleSocket, restrictToOwner } from './unix-socket.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-socket-'));
  path = join(directory, 's.sock');
});

/** The longest address of a Unix domain socket; BSD and macOS have four bytes less. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

afterEach(() => rm(directory, { recursive: true }));

/** What a server leaves behind that is killed while it listens. */
function leaveStaleSocket(): void {
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script, path]);
}

describe('removing a stale socket', () => {
  it('removes the socket that a killed server has left', async () => {
    leaveStaleSocket();
    expect(await removeStaleSocket(path)).toBe(true);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([75, 90, MAX_PATH_BYTES])('removes the socket if its path has %d bytes', async (bytes) => {
    path = join(directory, 's'.repeat(bytes - directory.length - 1));
    leaveStaleSocket();
    expect(await removeStaleSocket(path)).toBe(true);
    expect(await readdir(directory)).toEqual([]);
  });

  it('removes the socket despite the old claims of processes that were killed while removing it', async () => {
    leaveStaleSocket();
    const { ino, mtimeNs } = await lstat(path, { bigint: true });
    for (const nth of [0, 1]) await link(path, `${path}.stale-${ino}-${mtimeNs}-${nth}`);
    expect(await removeStaleSocket(path)).toBe(false);
    expect(await readdir(directory)).toHaveLength(3);
    expect(await removeStaleSocket(path, { claimTimeoutMs: 0 })).toBe(true);
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves a socket alone if a process listens on it', async () => {
    const server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, 'listening');
    expect(await removeStaleSocket(path)).toBe(false);
    expect((await stat(path)).isSocket()).toBe(true);
    server.close();
  });

  it('leaves a regular file and a missing path alone', async () => {
    expect(await removeStaleSocket(path)).toBe(false);
    await writeFile(path, 'precious');
    expect(await removeStaleSocket(path)).toBe(false);
    expect((await stat(path)).size).toBe(8);
  });
});

it('restricts a socket to its owner', async () => {
  const server = createServer().listen({ path, readableAll: true, writableAll: true });
  await once(server, 'listening');
  await restrictToOwner(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  server.close();
});
