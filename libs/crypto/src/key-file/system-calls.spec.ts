// What the system does to a key file seldom, or never on the machine of a test: every call goes to the real one unless a
// test says otherwise.
import { execFileSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createKeyFile, keyId, loadKeyFile, loadKeyring, loadLegacyKeyFile } from '../index.js';

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>();
  return {
    ...original,
    hash: vi.fn<typeof original.hash>(original.hash),
    randomUUID: vi.fn<typeof original.randomUUID>(original.randomUUID),
  };
});

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    openSync: vi.fn<typeof original.openSync>(original.openSync),
    readSync: vi.fn<typeof original.readSync>(original.readSync),
  };
});

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof promises>();
  return { ...original, link: vi.fn<typeof original.link>(original.link) };
});

const isWindows = process.platform === 'win32';
const systemError = (code: string): Error => Object.assign(new Error(`${code}: refused`), { code });

let directory: string;
let path: string;
let handle: promises.FileHandle;
/** The methods of every file handle, as they are before a test changes them. */
let original: Pick<promises.FileHandle, 'stat' | 'sync'>;

beforeEach(async () => {
  directory = fs.mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'aes_key.bin');
  const probe = await promises.open(directory, 'r');
  handle = Object.getPrototypeOf(probe);
  original = { stat: Reflect.get(handle, 'stat'), sync: Reflect.get(handle, 'sync') };
  await probe.close();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.resetAllMocks(); // to the real calls
  fs.rmSync(directory, { recursive: true });
});

describe('loadKeyring', () => {
  it('derives from a key once: HKDF-Extract, and HKDF-Expand for the psk, the id and the key of envelopes', async () => {
    await createKeyFile(path);
    vi.mocked(crypto.hash).mockClear();
    await loadKeyring(path);
    const HASHES_OF_HMAC = 2;
    expect(crypto.hash).toHaveBeenCalledTimes(4 * HASHES_OF_HMAC);
  });
});

describe('loadKeyFile', () => {
  it('reads a key that the system returns in pieces', async () => {
    const id = await createKeyFile(path);
    const { readSync } = await vi.importActual<typeof fs>('node:fs');
    vi.mocked(fs.readSync).mockImplementation(((
      file: number,
      key: Uint8Array,
      at: number,
      _length: number,
      from: number,
    ) => readSync(file, key, at, Math.min(5, key.length - at), from)) as typeof fs.readSync);
    expect(keyId(await loadKeyFile(path))).toBe(id);
  });

  it('refuses a file that is shorter than its reported size', async () => {
    await createKeyFile(path);
    let reads = 0;
    vi.mocked(fs.readSync).mockImplementation((_file, key) => {
      (key as Uint8Array).fill(0x5a, 0, 16);
      return reads++ === 0 ? 16 : 0;
    });
    await expect(loadKeyFile(path)).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_LENGTH',
      message: expect.stringContaining('16 bytes'),
    });
    const [, key] = vi.mocked(fs.readSync).mock.calls.at(-1) ?? [];
    expect(key, 'what was read is wiped').toEqual(new Uint8Array(32));
  });

  // `openSync` of a FIFO without O_NONBLOCK would stop this thread for good, so the flags are looked at first.
  it.skipIf(isWindows)('refuses a FIFO immediately, even without a writer (not on Windows)', async () => {
    execFileSync('mkfifo', ['-m', '600', path]);
    const { openSync } = await vi.importActual<typeof fs>('node:fs');
    vi.mocked(fs.openSync).mockImplementation((name, flags, mode) => {
      if ((Number(flags) & fs.constants.O_NONBLOCK) === 0) throw systemError('EWOULDBLOCK');
      return openSync(name, flags ?? 'r', mode);
    });
    const mounted = { policy: 'mounted-secret' } as const;
    for (const load of [() => loadKeyFile(path), () => loadKeyFile(path, mounted), () => loadLegacyKeyFile(path)])
      await expect(load()).rejects.toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
  });
});

describe('createKeyFile', () => {
  it.skipIf(isWindows)(
    'writes the key to disk before it has its name, and the name after that (not on Windows)',
    async () => {
      const steps: string[] = [];
      const { sync } = original;
      vi.spyOn(handle, 'sync').mockImplementation(async function (this: promises.FileHandle) {
        steps.push((await this.stat()).isDirectory() ? 'sync of the directory' : 'sync of the file');
        await sync.call(this);
      });
      const { link } = await vi.importActual<typeof promises>('node:fs/promises');
      vi.mocked(promises.link).mockImplementation(async (from, to) => {
        steps.push('name');
        await link(from, to);
      });
      await createKeyFile(path);
      expect(steps).toEqual(['sync of the file', 'name', 'sync of the directory']);
    },
  );

  it('never writes through a link that was planted at its temporary name', async () => {
    const uuid = '00000000-0000-4000-8000-000000000000';
    vi.mocked(crypto.randomUUID).mockReturnValueOnce(uuid);
    const stolen = join(directory, 'stolen');
    fs.writeFileSync(stolen, 'as it was');
    fs.symlinkSync(stolen, join(directory, `.sealwire-${uuid}.key`));
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
    expect(fs.readFileSync(stolen, 'utf8')).toBe('as it was');
    expect(fs.existsSync(path)).toBe(false);
  });

  it('leaves no file if the disk is full', async () => {
    vi.spyOn(handle, 'writeFile').mockRejectedValue(systemError('ENOSPC'));
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_CREATE' });
    expect(fs.readdirSync(directory)).toEqual([]);
  });
});

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('on a file system without hard links (%s)', (code) => {
  beforeEach(() => {
    vi.mocked(promises.link).mockRejectedValue(systemError(code));
  });

  it('createKeyFile creates a file that loads, and no other file', async () => {
    const id = await createKeyFile(path);
    expect(keyId(await loadKeyFile(path))).toBe(id);
    expect(fs.readdirSync(directory)).toEqual(['aes_key.bin']);
  });

  it('createKeyFile never overwrites a file', async () => {
    fs.writeFileSync(path, 'something else');
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_EXISTS' });
    expect(fs.readFileSync(path, 'utf8')).toBe('something else');
    expect(fs.readdirSync(directory)).toEqual(['aes_key.bin']);
  });

  it('loadKeyring returns the same key for many concurrent loads', async () => {
    const keyrings = await Promise.all(Array.from({ length: 8 }, () => loadKeyring(path, { generate: true })));
    expect(new Set(keyrings.map(({ primary }) => primary.id)).size).toBe(1);
  });
});

describe.skipIf(isWindows)('on a file system without modes (not on Windows)', () => {
  it('createKeyFile creates no file that others could read, and gives the reason', async () => {
    vi.spyOn(handle, 'chmod').mockRejectedValue(systemError('EPERM'));
    const { stat } = original;
    vi.spyOn(handle, 'stat').mockImplementation(async function (this: promises.FileHandle) {
      return Object.assign(await stat.call(this), { mode: 0o100777 });
    });
    await expect(createKeyFile(path)).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_CREATE',
      message: expect.stringMatching(/mode 0777.*other users could read it/),
    });
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it('createKeyFile creates a file if the mount restricts its mode', async () => {
    vi.spyOn(handle, 'chmod').mockRejectedValue(systemError('EPERM'));
    const id = await createKeyFile(path);
    expect(keyId(await loadKeyFile(path))).toBe(id);
  });

  it('createKeyFile accepts a directory that cannot be synchronised', async () => {
    const { sync } = original;
    vi.spyOn(handle, 'sync').mockImplementation(async function (this: promises.FileHandle) {
      if ((await this.stat()).isDirectory()) throw systemError('EINVAL');
      await sync.call(this);
    });
    await expect(createKeyFile(path)).resolves.toMatch(/^[0-9a-f]{16}$/);
  });
});
