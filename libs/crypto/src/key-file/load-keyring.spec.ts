import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createKeyFile, deriveKeySchedule, generateKey, loadKeyFile, loadKeyring, SecretKey } from '../index.js';
import { formatKeyringFile } from '../ring-file/ring-file.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'aes_key.bin');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('loadKeyring', () => {
  it('contains the key of the file as the primary one', async () => {
    const id = await createKeyFile(path);
    const { psk } = deriveKeySchedule(readFileSync(path));
    const keyring = await loadKeyring(path);
    expect(keyring.ids).toEqual([id]);
    expect(keyring.primary.psk()).toEqual(psk);
  });

  it('contains the keys of a keyring file, which loadKeyFile refuses', async () => {
    const keys = ['billing', 'audit'].map((label) => {
      const bytes = generateKey();
      return { bytes, key: SecretKey.fromBytes(bytes, 'The key', { label }) };
    });
    const entries = keys.map((key, index) => ({
      ...key,
      state: index === 1 ? ('primary' as const) : ('accept' as const),
    }));
    writeFileSync(path, formatKeyringFile(entries), { mode: 0o600 });
    const keyring = await loadKeyring(path, { generate: true });
    expect(keyring.keys.map(({ key }) => key.label)).toEqual(['billing', 'audit']);
    expect(keyring.primary.psk()).toEqual(keys[1]?.key.psk());
    await expect(loadKeyFile(path)).rejects.toMatchObject({
      code: 'ERR_KEY_FILE_LENGTH',
      message: expect.stringContaining('is a keyring; expected the 32 raw bytes of one key'),
    });
  });

  it('takes 32 bytes for a key, even if they begin like a keyring', async () => {
    const key = generateKey();
    key[0] = 0x7b;
    writeFileSync(path, key, { mode: 0o600 });
    expect((await loadKeyring(path)).ids).toEqual([SecretKey.fromBytes(key).id]);
  });

  it.each([
    [
      '[]'.padEnd(40),
      'ERR_KEY_FILE_LENGTH',
      /has 40 bytes; expected 32 bytes, or a JSON keyring of at most 65536 bytes\. /,
    ],
    [
      ' \n{"keys": ['.padEnd(40),
      'ERR_KEYRING_JSON',
      /^Key file .*aes_key.bin is not valid JSON at line 2, byte 40 of the file: expected a value/,
    ],
    ['{'.padEnd(65_537), 'ERR_KEY_FILE_LENGTH', /has 65537 bytes/],
    ['{}', 'ERR_KEY_FILE_LENGTH', /has 2 bytes/],
  ])('refuses a file that contains %j', async (text, code, message) => {
    writeFileSync(path, text, { mode: 0o600 });
    await expect(loadKeyring(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each<[string, (text: string) => Uint8Array, RegExp]>([
    ['UTF-8 with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`), /in UTF-8 with a byte order mark/],
    ['UTF-16LE', (text) => Buffer.from(text, 'utf16le'), /in UTF-16; expected UTF-8/],
    ['UTF-16LE with a mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'), /in UTF-16; expected UTF-8/],
    ['UTF-16BE', (text) => Buffer.from(text, 'utf16le').swap16(), /in UTF-16; expected UTF-8/],
    ['UTF-16BE with a mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(), /in UTF-16/],
  ])('names the encoding of a keyring in %s', async (_, encode, message) => {
    const bytes = generateKey();
    const key = SecretKey.fromBytes(bytes, 'The key', { label: 'billing' });
    const text = Buffer.from(formatKeyringFile([{ bytes, key, state: 'accept' }])).toString();
    writeFileSync(path, encode(text), { mode: 0o600 });
    await expect(loadKeyring(path)).rejects.toMatchObject({
      code: 'ERR_KEYRING_JSON',
      message: expect.stringMatching(message),
    });
  });

  it('creates no file by default', async () => {
    await expect(loadKeyring(path)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    await expect(loadKeyring(path, { generate: false })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    await expect(loadKeyring(path, { generate: true })).resolves.toMatchObject({ ids: [expect.any(String)] });
  });

  it('reports once that it created the file, and reads the same key afterwards', async () => {
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const made = await loadKeyring(path, { generate: true, warn });
    const read = await loadKeyring(path, { generate: true, warn });
    expect(read.ids).toEqual(made.ids);
    expect(warnings).toEqual([expect.stringContaining(made.primary.id)]);
  });

  it('never replaces an invalid file', async () => {
    writeFileSync(path, 'not a key', { mode: 0o600 });
    await expect(loadKeyring(path, { generate: true })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
    expect(readFileSync(path, 'utf8')).toBe('not a key');
  });

  it('creates no file if the failure is not that it is missing', async () => {
    writeFileSync(path, generateKey(), { mode: 0o600 });
    const throughFile = loadKeyring(join(path, 'aes_key.bin'), { generate: true });
    await expect(throughFile).rejects.toMatchObject({ code: 'ERR_KEY_FILE_UNREADABLE' });
  });

  it('reports why no file could be created', async () => {
    const nowhere = join(directory, 'missing', 'aes_key.bin');
    await expect(loadKeyring(nowhere, { generate: true })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_CREATE' });
  });

  it('returns the same key for many concurrent loads', async () => {
    const keyrings = await Promise.all(Array.from({ length: 16 }, () => loadKeyring(path, { generate: true })));
    expect(new Set(keyrings.map((keyring) => keyring.primary.id)).size).toBe(1);
  });
});

describe.skipIf(process.platform === 'win32')('loadKeyring, on systems with file modes (not on Windows)', () => {
  it('never repairs the mode of a file', async () => {
    writeFileSync(path, generateKey());
    chmodSync(path, 0o644);
    await expect(loadKeyring(path, { generate: true })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});
