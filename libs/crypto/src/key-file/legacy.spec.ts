import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CryptoError, generateKey, loadLegacyKeyFile } from '../index.js';

const isWindows = process.platform === 'win32';

let directory: string;
let path: string;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'aes_key.bin');
  warnings = [];
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(bytes: Uint8Array, mode = 0o600): void {
  writeFileSync(path, bytes);
  chmodSync(path, mode);
}

const load = (name = path): Promise<Uint8Array> =>
  loadLegacyKeyFile(name, { warn: (message) => warnings.push(message) });

async function refusalOf(loading: Promise<unknown>): Promise<CryptoError> {
  const error = await loading.then(
    () => new Error('It was accepted'),
    (reason: unknown) => reason,
  );
  if (error instanceof CryptoError) return error;
  throw error;
}

describe('loadLegacyKeyFile', () => {
  it('reads the 32 bytes into memory of their own, without a warning for a good file', async () => {
    const key = generateKey();
    write(key);
    const loaded = await load();
    expect(loaded).toEqual(key);
    expect(loaded.buffer.byteLength).toBe(32);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['ERR_KEY_REPEATED_BYTE', Buffer.alloc(32)],
    ['ERR_KEY_FEW_VALUES', Buffer.alloc(32, randomBytes(16))],
    ['ERR_KEY_TEXT', Buffer.from('correct horse battery staple 123')],
  ])('accepts a weak key and warns without showing it: %s', async (code, key) => {
    write(key);
    expect(Buffer.from(await load())).toEqual(key);
    expect(warnings).toEqual([expect.stringContaining(code)]);
    for (const encoding of ['latin1', 'hex', 'base64'] as const) {
      expect(warnings[0]).not.toContain(key.toString(encoding));
    }
  });

  it.each([0, 16, 31, 33, 64])('refuses a file of %i bytes without showing it', async (size) => {
    const bytes = randomBytes(size);
    write(bytes);
    const refusal = await refusalOf(load());
    expect(refusal).toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
    if (size > 0) expect(inspect(refusal)).not.toContain(bytes.toString('hex'));
  });

  it('refuses a directory and a missing file without suggesting to create one', async () => {
    const missing = await refusalOf(load());
    expect(missing).toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    expect(missing.message).not.toContain('keygen');
    mkdirSync(path);
    expect(await refusalOf(load())).toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
  });
});

describe.skipIf(isWindows)('loadLegacyKeyFile, on systems with file modes (not on Windows)', () => {
  it.each(['644', '664', '666'])('accepts mode %s and warns', async (mode) => {
    write(generateKey(), Number.parseInt(mode, 8));
    await load();
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`mode 0${mode}.*chmod 600`))]);
  });

  it('refuses a symbolic link', async () => {
    write(generateKey());
    const link = join(directory, 'link');
    symlinkSync(path, link);
    const refusal = await refusalOf(load(link));
    expect(refusal).toMatchObject({ code: 'ERR_KEY_FILE_SYMLINK' });
    expect(refusal.message).not.toContain('mounted-secret');
  });
});
