// `sealwire keygen`, `fingerprint` and `convert`: exit code, one line, no stack.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { keyId } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { findSecretsInOutput } from '../../support/secret-forms.js';
import { ROOT, ScriptRun } from '../scripts/script-run.js';
import { entry, newDirectory, statesOf, writeRing } from './key-files.js';
import { sealwire, sealwireHere } from './sealwire.js';

const oneLine = (pattern: RegExp, status = 1) => ({
  status,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^sealwire: .*${pattern.source}.*\n$`)),
});

describe('sealwire keygen', () => {
  it('creates a key file of mode 0600, and prints its key id but not its key', async () => {
    const cwd = newDirectory();
    const { status, stdout, stderr } = await sealwire(['keygen', 'aes_key.bin'], { cwd });
    const key = readFileSync(join(cwd, 'aes_key.bin'));
    expect({ status, stderr, bytes: key.length }).toEqual({ status: 0, stderr: '', bytes: 32 });
    expect(stdout).toContain(keyId(key));
    expect(findSecretsInOutput([Buffer.from(stdout)], { key })).toEqual([]);
    expect(statSync(join(cwd, 'aes_key.bin')).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0);
  });

  it('creates a keyring with one primary key of the given label', async () => {
    const path = join(newDirectory(), 'ring.json');
    const { stdout } = await sealwireHere(['keygen', path, '--ring', '--label', 'billing', '--json']);
    const { kid } = JSON.parse(stdout);
    expect(statesOf(path)).toEqual({ [kid]: 'primary' });
    expect(readFileSync(path, 'utf8')).toContain('"label":"billing"');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([[[]], [['--ring']]])('refuses to overwrite a file, with the options %j', async (options) => {
    const path = join(newDirectory(), 'aes_key.bin');
    writeFileSync(path, 'precious');
    expect(await sealwireHere(['keygen', path, ...options])).toEqual(oneLine(/exists and is not overwritten/));
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it.each([[[]], [['--ring']]])('reports that the directory is missing, with the options %j', async (options) => {
    const path = join(newDirectory(), 'missing', 'aes_key.bin');
    expect(await sealwireHere(['keygen', path, ...options])).toEqual(oneLine(/ENOENT.*directory must exist/));
  });

  it('refuses a label that a keyring cannot have, and creates no file', async () => {
    const cwd = newDirectory();
    const run = await sealwireHere(['keygen', join(cwd, 'r'), '--ring', '--label', 'a\tb']);
    expect(run).toEqual(oneLine(/as label.*printable.*ERR_KEYRING_FORMAT/));
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('creates one key in six concurrent processes', async () => {
    const cwd = newDirectory();
    const runs = await Promise.all(Array.from({ length: 6 }, () => sealwire(['keygen', 'aes_key.bin'], { cwd })));
    const made = runs.filter(({ stdout }) => stdout !== '');
    expect(made).toHaveLength(1);
    expect(made[0]?.stdout).toContain(keyId(readFileSync(join(cwd, 'aes_key.bin'))));
    expect(runs.filter(({ stderr }) => stderr.includes('exists'))).toHaveLength(5);
    expect(readdirSync(cwd)).toEqual(['aes_key.bin']);
  });

  it('is also `npm run keys -- keygen`, which names itself in its help', async () => {
    const cwd = newDirectory();
    const keys = (...args: readonly string[]) =>
      new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'keys', ...args], {}, cwd).end();
    expect(await keys('keygen', 'aes_key.bin')).toMatchObject({ status: 0, stderr: '' });
    const id = keyId(readFileSync(join(cwd, 'aes_key.bin')));
    expect(await keys('fingerprint', 'aes_key.bin')).toEqual({ status: 0, stdout: `${id}\n`, stderr: '' });
    expect((await keys('--help')).stdout).toMatch(/^Usage: npm run keys -- VERB/);
    expect(await keys('keygen', 'aes_key.bin')).toMatchObject({ status: 1 });
  });
});

describe('sealwire fingerprint', () => {
  it('prints the ids of a keyring, the primary one first', async () => {
    const [old, current] = [entry(), entry({ state: 'primary' })] as const;
    const path = writeRing([old, current]);
    const run = await sealwireHere(['fingerprint', path]);
    expect(run).toEqual({ status: 0, stdout: `${current.key.id}\n${old.key.id}\n`, stderr: '' });
  });

  it('describes how to create a missing file', async () => {
    expect(await sealwireHere(['fingerprint', join(newDirectory(), 'k')])).toEqual(
      oneLine(/No key file at .*ERR_KEY_FILE_MISSING/),
    );
  });

  it('refuses a weak key without showing it', async () => {
    const path = join(newDirectory(), 'weak.key');
    writeFileSync(path, 'correct horse battery staple 123', { mode: 0o600 });
    const run = await sealwireHere(['fingerprint', path]);
    expect(run).toEqual(oneLine(/is text/));
    expect(run.stderr).not.toContain('horse');
  });

  it('refuses a file that others can read, unless the policy is mounted-secret', async () => {
    const path = join(newDirectory(), 'k');
    await sealwireHere(['keygen', path]);
    writeFileSync(path, readFileSync(path));
    const { chmodSync } = await import('node:fs');
    chmodSync(path, 0o644);
    expect(await sealwireHere(['fingerprint', path])).toEqual(oneLine(/mode 0644.*ERR_KEY_FILE_MODE/));
    const mounted = await sealwireHere(['fingerprint', path, '--policy', 'mounted-secret']);
    expect(mounted).toMatchObject({ status: 0, stdout: `${keyId(readFileSync(path))}\n` });
    expect(mounted.stderr).toContain('mounted-secret');
    expect(await sealwireHere(['fingerprint', path, '--policy', 'lax'])).toEqual(oneLine(/strict or mounted/, 2));
  });
});

describe('sealwire convert', () => {
  it('makes a keyring of a raw key, and the same raw key of the keyring', async () => {
    const [raw, ring, again] = ['raw', 'ring', 'again'].map((name) => join(newDirectory(), name)) as [
      string,
      string,
      string,
    ];
    await sealwireHere(['keygen', raw]);
    const id = keyId(readFileSync(raw));
    expect(await sealwireHere(['convert', raw, ring, '--label', 'billing'])).toMatchObject({ status: 0 });
    expect(statesOf(ring)).toEqual({ [id]: 'primary' });
    const { stdout } = await sealwireHere(['convert', ring, again, '--json']);
    expect(JSON.parse(stdout)).toEqual({ file: again, form: 'raw', kid: id });
    expect(readFileSync(again)).toEqual(readFileSync(raw));
    expect(statSync(again).mode & 0o777).toBe(0o600);
  });

  it('takes the key that --kid names', async () => {
    const [current, next] = [entry({ state: 'primary' }), entry({ label: 'audit' })] as const;
    const ring = writeRing([current, next]);
    const raw = join(newDirectory(), 'raw');
    await sealwireHere(['convert', ring, raw, '--kid', 'audit']);
    expect(keyId(readFileSync(raw))).toBe(next.key.id);
  });

  it('refuses a keyring without a primary key, a revoked key, and options of the other direction', async () => {
    const revoked = entry({ state: 'revoked' });
    const ring = writeRing([revoked]);
    const to = join(newDirectory(), 'to');
    expect(await sealwireHere(['convert', ring, to])).toEqual(oneLine(/no primary key.*--kid/));
    expect(await sealwireHere(['convert', ring, to, '--kid', revoked.key.id])).toEqual(oneLine(/is revoked/));
    expect(await sealwireHere(['convert', ring, to, '--label', 'a'])).toEqual(oneLine(/--label needs a raw/, 2));
    expect(existsSync(to)).toBe(false);
  });

  it('never overwrites, not even its own source', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const before = readFileSync(ring);
    expect(await sealwireHere(['convert', ring, ring])).toEqual(oneLine(/exists and is not overwritten/));
    expect(readFileSync(ring)).toEqual(before);
  });
});
