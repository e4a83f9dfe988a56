import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createKeyFile, keyId, loadKeyFile } from '../index.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'aes_key.bin');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('createKeyFile', () => {
  it('creates a file that loads, and returns its key id', async () => {
    const id = await createKeyFile(path);
    expect(keyId(await loadKeyFile(path))).toBe(id);
  });

  it('leaves no other file', async () => {
    await createKeyFile(path);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
    expect(readdirSync(directory)).toEqual(['aes_key.bin']);
  });

  it('creates another key each time', async () => {
    const ids = await Promise.all(['a', 'b', 'c'].map((name) => createKeyFile(join(directory, name))));
    expect(new Set(ids).size).toBe(3);
  });

  it('never overwrites a file', async () => {
    writeFileSync(path, 'something else');
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS', fault: 'operator' });
    expect(readFileSync(path, 'utf8')).toBe('something else');
  });

  it('never writes through a link', async () => {
    const target = join(directory, 'target');
    symlinkSync(target, path);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
    expect(readdirSync(directory)).toEqual(['aes_key.bin']);
  });

  it('never replaces a directory', async () => {
    mkdirSync(path);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
  });

  it('reports a missing directory', async () => {
    await expect(createKeyFile(join(directory, 'no', 'key'))).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_CREATE',
      message: expect.stringMatching(/ENOENT.*directory/),
    });
  });

  it('lets one of many concurrent attempts create the file, and rejects the others with the reason', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 16 }, () => createKeyFile(path)));
    const made = attempts.filter((attempt) => attempt.status === 'fulfilled');
    const refused = attempts.filter((attempt) => attempt.status === 'rejected');
    expect(made).toHaveLength(1);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
    expect(keyId(await loadKeyFile(path))).toBe(made[0]?.value);
  });
});

describe.skipIf(process.platform === 'win32')('createKeyFile, on systems with file modes (not on Windows)', () => {
  it.each(['000', '022', '077', '277', '777'])('gives the file mode 0600 under umask %s', async (umask) => {
    const before = process.umask(umask);
    await createKeyFile(path).finally(() => process.umask(before));
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(statSync(path).nlink).toBe(1);
  });
});
