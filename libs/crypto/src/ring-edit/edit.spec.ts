import { lstatSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { generateKey, SecretKey } from '../index.js';
import { formatKeyringFile } from '../ring-file/ring-file.js';
import { editKeyringFile } from './edit.js';

let directory: string;
let ring: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-edit-'));
  ring = join(directory, 'ring.json');
  const bytes = generateKey();
  const key = SecretKey.fromBytes(bytes, 'The key', { label: 'main' });
  writeFileSync(ring, formatKeyringFile([{ key, bytes, state: 'primary' }]), { mode: 0o600 });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('editKeyringFile', () => {
  it('writes no key to a file with the mode of another file that was put in its place', async () => {
    const edit = editKeyringFile(ring, (entries) => {
      writeFileSync(join(directory, 'notes'), 'notes', { mode: 0o644 });
      renameSync(join(directory, 'notes'), ring);
      return entries;
    });
    await expect(edit).rejects.toMatchObject({ code: 'ERR_KEY_FILE_WRITE' });
    await expect(edit).rejects.toThrow(/Another program replaced key file .* in the meantime/);
    expect(readFileSync(ring, 'utf8')).toBe('notes');
    expect(readdirSync(directory)).toEqual(['ring.json']);
  });

  it('gives the new file the owner and mode of the file that it has checked', async () => {
    const { uid, gid, ino } = lstatSync(ring);
    await editKeyringFile(ring, (entries) => entries);
    const after = lstatSync(ring);
    expect(after).toMatchObject({ uid, gid, mode: 0o100600 });
    expect(after.ino).not.toBe(ino);
  });
});
