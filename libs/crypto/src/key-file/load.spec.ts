import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CryptoError, generateKey, loadKeyFile } from '../index.js';

const isRoot = process.geteuid?.() === 0;
const isWindows = process.platform === 'win32';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'aes_key.bin');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(bytes: Uint8Array, mode = 0o600): void {
  rmSync(path, { force: true });
  writeFileSync(path, bytes);
  chmodSync(path, mode);
}

/** The open descriptors of this process that lead into `directory`. None where the system does not tell. */
function openDescriptors(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const targets = readdirSync('/proc/self/fd').map((name) => readlinkOrNothing(join('/proc/self/fd', name)));
  return targets.filter((target) => target.startsWith(directory));
}

// The test runner opens and closes descriptors of its own meanwhile.
function readlinkOrNothing(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

async function refusalOf(loading: Promise<unknown>): Promise<CryptoError> {
  const error = await loading.then(
    () => new Error('It was accepted'),
    (reason: unknown) => reason,
  );
  if (error instanceof CryptoError) return error;
  throw error;
}

describe('loadKeyFile', () => {
  it('reads the 32 bytes into memory of their own', async () => {
    const key = generateKey();
    write(key);
    const loaded = await loadKeyFile(path);
    expect(loaded).toEqual(key);
    expect(loaded.buffer.byteLength).toBe(32);
  });

  it('resolves a relative path against the working directory, and shows the whole path in its messages', async () => {
    write(generateKey());
    await expect(loadKeyFile(relative(process.cwd(), path))).resolves.toHaveLength(32);
    const refusal = await refusalOf(loadKeyFile(relative(process.cwd(), join(directory, 'none'))));
    expect(refusal.message).toContain(join(directory, 'none'));
  });

  it('describes how to create a missing file', async () => {
    const refusal = await refusalOf(loadKeyFile(path));
    expect(refusal).toMatchObject({ code: 'ERR_KEY_FILE_MISSING', fault: 'operator' });
    expect(refusal.message).toContain(
      `npx sealwire keygen ${path} with @sealwire/transport, or createKeyFile() of @sealwire/crypto`,
    );
  });

  it.each([0, 1, 16, 31, 33, 44, 64, 4096])('refuses a file of %i bytes', async (size) => {
    write(randomBytes(size));
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
  });

  it.each([
    [0, /empty/],
    [16, /half/],
    [33, /line end/],
    [44, /base64/],
    [65, /hex/],
  ])('describes what a file of %i bytes may be', async (size, likely) => {
    write(randomBytes(size));
    expect((await refusalOf(loadKeyFile(path))).message).toMatch(likely);
  });

  it.each([
    ['ERR_KEY_REPEATED_BYTE', Buffer.alloc(32)],
    ['ERR_KEY_FEW_VALUES', Buffer.alloc(32, randomBytes(16))],
    ['ERR_KEY_TEXT', Buffer.from('correct horse battery staple 123')],
  ])('refuses a weak key: %s', async (code, key) => {
    write(key);
    const refusal = await refusalOf(loadKeyFile(path));
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(path) });
    const shown = inspect(refusal, { showHidden: true, depth: 9 });
    for (const encoding of ['latin1', 'hex', 'base64'] as const) expect(shown).not.toContain(key.toString(encoding));
  });

  it('refuses a directory', async () => {
    mkdirSync(path, { mode: 0o700 });
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
  });

  it('refuses a path through a file', async () => {
    write(generateKey());
    expect(await refusalOf(loadKeyFile(join(path, 'key')))).toMatchObject({ code: 'ERR_KEY_FILE_UNREADABLE' });
  });

  it('refuses an impossible path', async () => {
    expect(await refusalOf(loadKeyFile('a\0b'))).toMatchObject({ code: 'ERR_KEY_FILE_UNREADABLE' });
  });

  it('leaves no descriptor open, whatever the result', async () => {
    write(generateKey());
    for (let round = 0; round < 20; round++) {
      await loadKeyFile(path);
      await refusalOf(loadKeyFile(directory));
    }
    expect(openDescriptors()).toEqual([]);
  });
});

describe.skipIf(isWindows)('loadKeyFile, on systems with file modes and owners (not on Windows)', () => {
  it.each(['644', '604', '660', '666', '777', '601', '610'])('refuses mode %s', async (mode) => {
    write(generateKey(), Number.parseInt(mode, 8));
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
  });

  it('suggests the alternative for a secret that Docker mounts, and for a file system without modes', async () => {
    write(generateKey(), 0o444);
    const { message } = await refusalOf(loadKeyFile(path));
    expect(message).toMatch(/the policy mounted-secret .*SEALWIRE_KEY_POLICY=mounted-secret/);
    write(generateKey(), 0o777);
    for (const policy of ['strict', 'mounted-secret'] as const) {
      const refusal = await refusalOf(loadKeyFile(path, { policy }));
      expect(refusal.message).toMatch(/does not support file modes.*move the key file/);
      expect(refusal.message).not.toContain('SEALWIRE_KEY_POLICY');
    }
  });

  it('gives no warning under the policy strict', async () => {
    write(generateKey());
    const warnings: string[] = [];
    await loadKeyFile(path, { warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([]);
  });

  it('refuses a symbolic link, also to a valid file', async () => {
    write(generateKey());
    const link = join(directory, 'link');
    symlinkSync(path, link);
    const refusal = await refusalOf(loadKeyFile(link));
    expect(refusal).toMatchObject({ code: 'ERR_KEY_FILE_SYMLINK', message: expect.stringContaining('mounted-secret') });
  });

  it('refuses a socket and a device', async () => {
    const listenAndDie =
      'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    spawnSync(process.execPath, ['-e', listenAndDie, path]);
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
    expect(await refusalOf(loadKeyFile('/dev/zero'))).toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
  });
});

describe.skipIf(isWindows || isRoot)('loadKeyFile as an ordinary user (skipped for root and on Windows)', () => {
  it('refuses a file that this user cannot read', async () => {
    write(generateKey(), 0o000);
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_UNREADABLE' });
  });

  it('refuses its own file if its group can read it', async () => {
    write(generateKey(), 0o640);
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
  });
});

describe.skipIf(!isRoot)('loadKeyFile as root (skipped for all others)', () => {
  it('refuses a file of another user under either policy', async () => {
    write(generateKey());
    chownSync(path, 12_345, 12_345);
    for (const policy of ['strict', 'mounted-secret'] as const) {
      expect(await refusalOf(loadKeyFile(path, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_OWNER' });
    }
  });

  it('reads a file of root that its group can read', async () => {
    write(generateKey(), 0o640);
    await expect(loadKeyFile(path)).resolves.toHaveLength(32);
  });
});

describe.skipIf(isWindows)('loadKeyFile under the policy mounted-secret (not on Windows)', () => {
  const policy = 'mounted-secret';

  it.each(['444', '644'])('reads a secret as Kubernetes mounts it, through links and with mode %s', async (mode) => {
    const key = generateKey();
    mkdirSync(join(directory, '..2025_01_01'));
    writeFileSync(join(directory, '..2025_01_01', 'aes_key.bin'), key, {
      mode: Number.parseInt(mode, 8),
    });
    symlinkSync('..2025_01_01', join(directory, '..data'));
    symlinkSync(join('..data', 'aes_key.bin'), path);
    const warnings: string[] = [];
    expect(await loadKeyFile(path, { policy, warn: (message) => warnings.push(message) })).toEqual(key);
    expect(warnings).toEqual([expect.stringMatching(/mounted-secret/)]);
  });

  it.each([
    ['the link itself', () => directory],
    ['a directory on the way to the link', () => join(directory, 'on', 'the')],
  ])('refuses a link that others could replace, because of the directory of %s', async (_, exposed) => {
    const way = join(directory, 'on', 'the', 'way');
    mkdirSync(way, { recursive: true });
    write(generateKey(), 0o444);
    const link = join(exposed() === directory ? directory : way, 'link');
    symlinkSync(path, link);
    await expect(loadKeyFile(link, { policy })).resolves.toHaveLength(32);
    for (const mode of ['777', '770', '702']) {
      chmodSync(exposed(), Number.parseInt(mode, 8));
      expect(await refusalOf(loadKeyFile(link, { policy }))).toMatchObject({
        code: 'ERR_KEY_FILE_SYMLINK',
        message: expect.stringContaining(`chmod go-w ${exposed()}`),
      });
    }
    await expect(loadKeyFile(path, { policy }), 'the file itself, by its own mode').resolves.toHaveLength(32);
  });

  it('refuses a directory that is a link and that others could replace', async () => {
    mkdirSync(join(directory, 'real'));
    writeFileSync(join(directory, 'real', 'key'), generateKey(), { mode: 0o444 });
    symlinkSync('real', join(directory, 'linked'));
    await expect(loadKeyFile(join(directory, 'linked', 'key'), { policy })).resolves.toHaveLength(32);
    chmodSync(directory, 0o777);
    expect(await refusalOf(loadKeyFile(join(directory, 'linked', 'key'), { policy }))).toMatchObject({
      code: 'ERR_KEY_FILE_SYMLINK',
    });
  });

  it('follows its own link in a directory with the sticky bit, as in Kubernetes', async () => {
    write(generateKey(), 0o444);
    const link = join(directory, 'link');
    symlinkSync(path, link);
    chmodSync(directory, 0o1777);
    await expect(loadKeyFile(link, { policy })).resolves.toHaveLength(32);
  });

  it.skipIf(!isRoot)('refuses a link of another user, and one in a directory of another user (root only)', async () => {
    write(generateKey(), 0o444);
    const link = join(directory, 'link');
    symlinkSync(path, link);
    lchownSync(link, 12_345, 12_345);
    chmodSync(directory, 0o1777);
    expect(await refusalOf(loadKeyFile(link, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_SYMLINK' });
    lchownSync(link, 0, 0);
    chmodSync(directory, 0o755);
    chownSync(directory, 12_345, 12_345);
    expect(await refusalOf(loadKeyFile(link, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_SYMLINK' });
  });

  it.each(['646', '664', '777'])('refuses mode %s, with which others could write', async (mode) => {
    write(generateKey(), Number.parseInt(mode, 8));
    expect(await refusalOf(loadKeyFile(path, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
  });

  it('refuses a dangling link, and a loop of links', async () => {
    symlinkSync('nowhere', path);
    expect(await refusalOf(loadKeyFile(path, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    const loop = join(directory, 'loop');
    symlinkSync('loop', loop);
    expect(await refusalOf(loadKeyFile(loop, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_SYMLINK' });
  });

  it('refuses weak keys and wrong lengths like any other', async () => {
    write(Buffer.alloc(32), 0o444);
    expect(await refusalOf(loadKeyFile(path, { policy }))).toMatchObject({ code: 'ERR_KEY_REPEATED_BYTE' });
    write(randomBytes(31), 0o644);
    expect(await refusalOf(loadKeyFile(path, { policy }))).toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
  });
});

describe('loadKeyFile without owners and modes, as on Windows', () => {
  const { geteuid } = process;

  beforeEach(() => {
    delete process.geteuid;
  });

  afterEach(() => {
    if (geteuid !== undefined) process.geteuid = geteuid;
  });

  it('reads a file of any mode, and lists the remaining checks', async () => {
    const key = generateKey();
    write(key, 0o666);
    const warnings: string[] = [];
    expect(await loadKeyFile(path, { warn: (message) => warnings.push(message) })).toEqual(key);
    expect(warnings).toEqual([expect.stringMatching(/only its content was checked/)]);
  });

  it('still refuses weak keys and wrong lengths', async () => {
    write(Buffer.alloc(32), 0o666);
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_REPEATED_BYTE' });
    write(randomBytes(33), 0o666);
    expect(await refusalOf(loadKeyFile(path))).toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
  });
});
