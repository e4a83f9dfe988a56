// `npm run keys`, as a user meets it: exit code, one line, no stack.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyId } from '@sealwire/crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptHere } from './script-here.js';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const script = await ScriptHere.load(join(ROOT, 'scripts/commands/keys.mjs'));

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function keys(...args: readonly string[]): Promise<Ended> {
  return script.run(args, directory);
}

/** The same in a process of its own. */
function keysProcess(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'keys', ...args], {}, directory).end();
}

const oneLine = (pattern: RegExp) => ({
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^.*${pattern.source}.*\n$`)),
});
const usage = { status: 1, stdout: '', stderr: expect.stringMatching(/^Usage: npm run keys -- keygen FILE /) };

describe('npm run keys -- keygen', () => {
  it('creates a key file, and prints its key id but not its key', async () => {
    const { status, stdout, stderr } = await keysProcess('keygen', 'aes_key.bin');
    const key = readFileSync(join(directory, 'aes_key.bin'));
    expect({ status, stderr, bytes: key.length }).toEqual({ status: 0, stderr: '', bytes: 32 });
    expect(stdout).toContain(keyId(key));
    expect(stdout).not.toContain(key.toString('hex'));
    expect(statSync(join(directory, 'aes_key.bin')).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0);
  });

  it('refuses to overwrite', async () => {
    writeFileSync(join(directory, 'aes_key.bin'), 'precious');
    expect(await keysProcess('keygen', 'aes_key.bin')).toEqual(oneLine(/exists and is not overwritten/));
    expect(readFileSync(join(directory, 'aes_key.bin'), 'utf8')).toBe('precious');
  });

  it('reports that the directory is missing', async () => {
    expect(await keys('keygen', join('missing', 'aes_key.bin'))).toEqual(oneLine(/ENOENT.*directory must exist/));
  });

  it('creates one key in six concurrent runs', async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => keysProcess('keygen', 'aes_key.bin')));
    const made = runs.filter(({ stdout }) => stdout !== '');
    expect(made).toHaveLength(1);
    expect(made[0]?.stdout).toContain(keyId(readFileSync(join(directory, 'aes_key.bin'))));
    expect(runs.filter(({ stderr }) => stderr.includes('exists'))).toHaveLength(5);
    expect(readdirSync(directory)).toEqual(['aes_key.bin']);
  });
});

describe('npm run keys -- id', () => {
  it('prints the key id and nothing else', async () => {
    await keys('keygen', 'aes_key.bin');
    const id = keyId(readFileSync(join(directory, 'aes_key.bin')));
    expect(await keys('id', 'aes_key.bin')).toEqual({ status: 0, stdout: `${id}\n`, stderr: '' });
  });

  it('describes how to create a missing file', async () => {
    expect(await keys('id', 'aes_key.bin')).toEqual(oneLine(/No key file at .* \(npm run keys -- keygen FILE\)/));
  });

  it('refuses a weak key without showing it', async () => {
    writeFileSync(join(directory, 'weak.key'), 'correct horse battery staple 123', { mode: 0o600 });
    const run = await keys('id', 'weak.key');
    expect(run).toEqual(oneLine(/is text/));
    expect(run.stderr).not.toContain('horse');
  });

  it('refuses a policy that does not exist', async () => {
    expect(await keys('id', '--policy', 'lax', 'aes_key.bin')).toEqual(oneLine(/strict or mounted-secret/));
  });
});

describe('npm run keys', () => {
  it.each([[[]], [['make', 'it.key']], [['keygen']], [['id']], [['keygen', 'a.key', 'b.key']]])(
    'answers %j with its usage',
    async (args) => {
      expect(await keys(...args)).toEqual(usage);
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it('refuses an unknown option in one line', async () => {
    expect(await keys('keygen', '--force', 'a.key')).toEqual(oneLine(/--force.*--help/));
  });

  it('prints its usage when asked', async () => {
    expect(await keys('--help')).toEqual({ status: 0, stdout: expect.stringMatching(/^Usage: /), stderr: '' });
  });
});
