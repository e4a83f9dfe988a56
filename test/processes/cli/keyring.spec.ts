// `sealwire keyring`: each verb, what it refuses, and what it leaves behind.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { generateKey, keyId } from '@sealwire/crypto';
import { describe, expect, it, onTestFinished } from 'vitest';

import { findSecretsInOutput } from '../../support/secret-forms.js';
import { entry, newDirectory, statesOf, writeRing } from './key-files.js';
import { MAIN, sealwire, sealwireHere } from './sealwire.js';

const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;

const refused = (pattern: RegExp, status = 1) => ({
  status,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^sealwire: .*${pattern.source}.*\n$`)),
});

const CHANGES: readonly (readonly string[])[] = [
  ['install'],
  ['use', 'audit', '--yes'],
  ['remove', 'audit', '--yes'],
  ['retire', 'audit', '--yes'],
  ['revoke', 'audit', '--yes'],
];

/** Puts the file after the verb. */
const change = ([verb = '', ...rest]: readonly string[], file: string) => ['keyring', verb, file, ...rest];

describe('sealwire keyring', () => {
  it('installs, uses, retires, revokes and removes keys one after the other', async () => {
    const first = entry({ state: 'primary' });
    const ring = writeRing([first]);
    const { stdout } = await sealwireHere(['keyring', 'install', ring, '--label', 'next', '--json']);
    const { kid } = JSON.parse(stdout).key;
    const { id } = first.key;
    expect(statesOf(ring)).toEqual({ [id]: 'primary', [kid]: 'accept' });
    await sealwireHere(['keyring', 'use', ring, 'next', '--yes']);
    expect(statesOf(ring)).toEqual({ [id]: 'accept', [kid]: 'primary' });
    await sealwireHere(['keyring', 'retire', ring, 'main', '--yes']);
    expect(statesOf(ring)).toEqual({ [id]: 'retired', [kid]: 'primary' });
    await sealwireHere(['keyring', 'revoke', ring, id.slice(0, 12), '--yes']);
    expect(statesOf(ring)).toEqual({ [id]: 'revoked', [kid]: 'primary' });
    expect(await sealwireHere(['keyring', 'remove', ring, id, '--yes'])).toEqual(
      refused(/is revoked.*--forget-revoked/),
    );
    expect(statesOf(ring)).toEqual({ [id]: 'revoked', [kid]: 'primary' });
    const forget = ['keyring', 'remove', ring, id, '--forget-revoked'];
    expect(await sealwireHere(forget, { answer: 'y\n' })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('The revocation of key'),
    });
    expect(statesOf(ring)).toEqual({ [kid]: 'primary' });
    expect(readdirSync(dirname(ring))).toEqual(['ring.json']);
  });

  it('installs the key of a raw file with label, patterns and window', async () => {
    const raw = join(newDirectory(), 'raw');
    const key = generateKey();
    writeFileSync(raw, key, { mode: 0o600 });
    const ring = writeRing([entry({ state: 'primary' })]);
    const options = ['--from', raw, '--label', 'audit', '--patterns', 'audit.*', '--patterns', '{"cmd":"a","v":1}'];
    const window = ['--not-before', '2027-01-01T00:00:00Z', '--not-after', '2128-01-01T00:00:00Z'];
    const { stdout } = await sealwireHere(['keyring', 'install', ring, ...options, ...window, '--json']);
    expect(JSON.parse(stdout).key).toEqual({
      kid: keyId(key),
      label: 'audit',
      state: 'accept',
      notBefore: '2027-01-01T00:00:00.000Z',
      notAfter: '2128-01-01T00:00:00.000Z',
      patterns: ['audit.*', '{"cmd":"a","v":1}'],
    });
    const { stdout: listed } = await sealwireHere(['keyring', 'list', ring, '--json']);
    expect(JSON.parse(listed).keys[1]).toEqual(JSON.parse(stdout).key);
    expect(await sealwireHere(['keyring', 'install', ring, '--from', raw])).toEqual(
      refused(/is already in the keyring/),
    );
  });

  it('installs no key whose time is over', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const before = readFileSync(ring);
    const { status, stderr } = await sealwireHere(['keyring', 'install', ring, '--not-after', '2020-01-01T00:00:00Z']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--not-after is in the past')]);
    expect(readFileSync(ring)).toEqual(before);
  });

  it('installs a key with the label of the primary key only together with its patterns', async () => {
    const ring = writeRing([entry({ state: 'primary', label: 'billing', patterns: ['billing.*'] })]);
    const installed = async (...options: readonly string[]) =>
      JSON.parse((await sealwireHere(['keyring', 'install', ring, ...options, '--json'])).stdout).key;
    expect(await installed()).toMatchObject({ label: 'billing', patterns: ['billing.*'] });
    expect(await installed('--patterns', 'sum')).toMatchObject({ label: 'billing', patterns: ['sum'] });
    expect(await installed('--label', 'audit')).toMatchObject({ label: 'audit', patterns: null });
    const { stdout } = await sealwireHere(['keyring', 'install', ring]);
    expect(stdout).toContain('Its holder may call billing.*.');
  });

  it('sorts the members of a pattern that is an object, as the server does', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const options = ['--label', 'audit', '--patterns', '{ "v": 1, "cmd": "sum" }'];
    const { stdout } = await sealwireHere(['keyring', 'install', ring, ...options, '--json']);
    expect(JSON.parse(stdout).key.patterns).toEqual(['{"cmd":"sum","v":1}']);
    const wrong = await sealwireHere(['keyring', 'install', ring, '--patterns', '{"cmd":"sum"']);
    expect(wrong).toEqual(refused(/PATTERN is not valid JSON/, 2));
  });

  it('says that a pattern with a comma is one pattern', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const options = ['--label', 'audit', '--patterns', 'sum,echo', '--patterns', '{"a":1,"b":2}'];
    const { status, stderr } = await sealwireHere(['keyring', 'install', ring, ...options]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'sealwire: "sum,echo" is one pattern with a comma; for several, repeat --patterns\n',
    });
  });

  it('refuses a label with a space at its end', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const run = await sealwireHere(['keyring', 'install', ring, '--label', 'audit ']);
    expect(run).toEqual(refused(/with no space at either end.*ERR_KEYRING_FORMAT/));
    expect(Object.keys(statesOf(ring))).toHaveLength(1);
  });

  it('takes a key from a mounted file with --policy', async () => {
    const raw = join(newDirectory(), 'raw');
    writeFileSync(raw, generateKey(), { mode: 0o444 });
    const ring = writeRing([entry({ state: 'primary' })]);
    const args = ['keyring', 'install', ring, '--from', raw];
    expect(await sealwireHere(args)).toEqual(refused(/policy mounted-secret.*ERR_KEY_FILE_MODE/));
    expect(await sealwireHere([...args, '--policy', 'mounted-secret'])).toMatchObject({ status: 0 });
  });

  it('escapes characters of patterns that would reorder or control the terminal', async () => {
    const ring = writeRing([entry({ state: 'primary', patterns: ['a\u202Eb\u2028\u200F'] })]);
    for (const verb of ['list', 'install'])
      for (const options of [[], ['--json']]) {
        const { stdout } = await sealwireHere(['keyring', verb, ring, ...options]);
        expect(stdout).toContain('a\\u202eb\\u2028\\u200f');
        expect(stdout).toMatch(/^[\n -~]+$/);
      }
    const { stdout } = await sealwireHere(['keyring', 'list', ring, '--json']);
    expect(JSON.parse(stdout).keys[0].patterns).toEqual(['a\u202Eb\u2028\u200F']);
  });

  it('makes no key primary that is revoked, not yet valid or expired', async () => {
    const ring = writeRing([
      entry({ state: 'primary' }),
      entry({ label: 'revoked', state: 'revoked' }),
      entry({ label: 'early', notBefore: Date.now() + 86_400_000 }),
      entry({ label: 'late', notAfter: Date.now() - 1_000 }),
    ]);
    const before = readFileSync(ring);
    for (const [label, reason] of [
      ['revoked', /must never be used/],
      ['early', /only from/],
      ['late', /only until/],
    ] as const)
      expect(await sealwireHere(['keyring', 'use', ring, label, '--yes'])).toEqual(refused(reason));
    expect(readFileSync(ring)).toEqual(before);
  });

  it('says what became of the previous primary key, which may have been revoked before', async () => {
    const [first, next] = [entry({ state: 'primary', label: 'first' }), entry({ label: 'next' })];
    const ring = writeRing([first, next]);
    const use = async (label: string) => (await sealwireHere(['keyring', 'use', ring, label, '--yes'])).stdout;
    const nameOfNext = `Key ${next.key.id} (next)`;
    const nameOfFirst = `${first.key.id} (first)`;
    expect(await use('next')).toBe(
      `${nameOfNext} is now primary. The previous primary key ${nameOfFirst} now has the state accept, so it is still accepted.\n`,
    );
    expect(await use('next')).toBe(`${nameOfNext} was already primary, and still is.\n`);
    await use('first');
    await sealwireHere(['keyring', 'revoke', ring, 'first', '--yes']);
    expect(await use('next')).toBe(`${nameOfNext} is now primary. There was no primary key before.\n`);
    writeRing([{ ...first, notAfter: Date.now() - 1_000 }, next], dirname(ring));
    expect(await use('next')).toContain(`${nameOfFirst} now has the state accept, but is not accepted at this time`);
  });

  it('neither removes nor retires the primary key, but revokes it', async () => {
    const { key } = entry();
    const primary = entry({ state: 'primary' });
    const ring = writeRing([primary, entry()]);
    for (const verb of ['remove', 'retire'])
      expect(await sealwireHere(['keyring', verb, ring, primary.key.id, '--yes'])).toEqual(refused(/is primary/));
    expect(await sealwireHere(['keyring', 'revoke', ring, primary.key.id, '--yes'])).toMatchObject({ status: 0 });
    expect(statesOf(ring)[primary.key.id]).toBe('revoked');
    expect(await sealwireHere(['keyring', 'use', ring, key.id, '--yes'])).toEqual(refused(/has no key/));
  });

  it('refuses a name that several keys have, and names them', async () => {
    const [one, other] = [entry(), entry({ state: 'primary' })] as const;
    const ring = writeRing([one, other]);
    const run = await sealwireHere(['keyring', 'use', ring, 'main', '--yes']);
    expect(run).toEqual(refused(/names 2 keys.*ERR_KEYRING_NO_KEY/));
    for (const { key } of [one, other]) expect(run.stderr).toContain(key.id);
    expect(await sealwireHere(['keyring', 'use', ring, 'nain', '--yes'])).toEqual(refused(/has no key/));
  });

  it('lists the keys with a state that says whether they may be used, in colors only on a terminal', async () => {
    const late = entry({ label: 'late one', notAfter: Date.UTC(2020, 0), patterns: ['a b', 'c*'] });
    const ring = writeRing([entry({ state: 'primary' }), late]);
    const { stdout } = await sealwireHere(['keyring', 'list', ring]);
    expect(stdout.split('\n').slice(0, 1)).toEqual([
      'KID               LABEL     STATE            FROM  UNTIL                 PATTERNS',
    ]);
    expect(stdout).toContain(`${late.key.id}  late one  accept, expired  -     2020-01-01T00:00:00Z  "a b" c*\n`);
    const colors = await sealwireHere(['keyring', 'list', ring], { isTerminal: true });
    expect(colors.stdout).toContain('\u001B[');
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect(await sealwireHere(['keyring', 'list', ring], { isTerminal: true, env })).toMatchObject({ stdout });
  });
});

describe('sealwire keyring verify', () => {
  it('accepts a good ring, and says what needs attention', async () => {
    const ring = writeRing([
      entry({ notAfter: Date.now() + 86_400_000 }),
      entry({ notBefore: Date.now() + 86_400_000 }),
    ]);
    const { status, stdout } = await sealwireHere(['keyring', 'verify', ring]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /is valid: a keyring of 2 keys\nNo key is primary.*\nKey .* less than 14 days.*\nKey .* is not valid yet: its notBefore is 20.*Z\./,
    );
    const { stdout: json } = await sealwireHere(['keyring', 'verify', ring, '--json']);
    expect(JSON.parse(json)).toMatchObject({ valid: true, form: 'ring', problems: [] });
    expect(JSON.parse(json).hints).toHaveLength(3);
  });

  it('says that no key may be used now, whatever the reason', async () => {
    const ring = writeRing([entry({ state: 'primary', notAfter: Date.now() - 1_000 }), entry({ state: 'revoked' })]);
    const { status, stdout } = await sealwireHere(['keyring', 'verify', ring]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/is valid: a keyring of 2 keys\nNo key may be used now: .*\n$/);
  });

  it('prints what is wrong on standard output, and fails', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    writeFileSync(ring, readFileSync(ring, 'utf8').replace('"primary"', '"first"'));
    const { status, stdout } = await sealwireHere(['keyring', 'verify', ring]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/has "first" as state.*\(ERR_KEYRING_FORMAT\)\n$/);
    const json = await sealwireHere(['keyring', 'verify', ring, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, problems: [{ code: 'ERR_KEYRING_FORMAT' }] });
  });
});

describe('the confirmation of a change', () => {
  it.each([['use'], ['remove'], ['retire'], ['revoke']])(
    'is needed by %s, and without a terminal by --yes',
    async (verb) => {
      const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })]);
      const before = readFileSync(ring);
      const run = await sealwire(['keyring', verb, ring, 'audit']);
      expect(run).toEqual(refused(/audit.*is not a terminal.*--yes/, 2));
      for (const answer of ['n\n', '\n', 'yesterday\n']) {
        const asked = await sealwireHere(['keyring', verb, ring, 'audit'], { answer });
        expect(asked).toMatchObject({ status: 1, stdout: '' });
        expect(asked.stderr).toMatch(/Continue\? \[y\/N\] sealwire: Nothing was changed/);
      }
      expect(readFileSync(ring)).toEqual(before);
      expect(await sealwireHere(['keyring', verb, ring, 'audit'], { answer: 'y\n' })).toMatchObject({ status: 0 });
      expect(readFileSync(ring)).not.toEqual(before);
    },
  );

  it('does not count for a key that has become primary since the question', async () => {
    const [first, audit] = [entry({ state: 'primary' }), entry({ label: 'audit' })];
    const ring = writeRing([first, audit]);
    const run = await sealwireHere(['keyring', 'revoke', ring, 'audit'], {
      answer: 'y\n',
      atQuestion: () =>
        void writeRing(
          [
            { ...first, state: 'accept' },
            { ...audit, state: 'primary' },
          ],
          dirname(ring),
        ),
    });
    expect(run).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/another command changed key .*ERR_NOT_CONFIRMED/),
    });
    expect(statesOf(ring)).toEqual({ [first.key.id]: 'accept', [audit.key.id]: 'primary' });
  });

  it('names the consequence of a revoked primary key', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const { stderr } = await sealwireHere(['keyring', 'revoke', ring, 'main'], { answer: 'n\n' });
    expect(stderr).toContain('no client can connect with this keyring');
  });
});

describe.each(CHANGES)('sealwire keyring %s and the file', (...given) => {
  const verb = given.filter((word): word is string => word !== undefined);

  it('leaves a broken ring as it is', async () => {
    const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })]);
    const good = readFileSync(ring, 'utf8');
    for (const broken of [
      good.slice(0, -20),
      good.replace('audit', 'au\\u0007dit'),
      '{}',
      good.replace('"oct"', '"RSA"'),
    ]) {
      writeFileSync(ring, broken);
      expect(await sealwireHere(change(verb, ring))).toEqual(refused(/ERR_KEY(?:RING|_FILE)_/));
      expect(readFileSync(ring, 'utf8')).toBe(broken);
      expect(readdirSync(dirname(ring))).toEqual(['ring.json']);
    }
  });

  it('refuses a raw key, a link, a directory, a missing file and a file that others can read', async () => {
    const directory = newDirectory();
    const at = (name: string): string => join(directory, name);
    const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })], directory);
    writeFileSync(at('raw'), generateKey(), { mode: 0o600 });
    symlinkSync(ring, at('link'));
    mkdirSync(at('directory'));
    writeFileSync(at('open'), readFileSync(ring));
    chmodSync(at('open'), 0o644);
    const before = readFileSync(ring);
    const remedies = { link: /the file itself, because/, missing: /keygen .* --ring/, open: /chmod 600 \S+ \(/ };
    for (const [name, remedy] of Object.entries(remedies))
      expect(await sealwireHere(change(verb, at(name)))).toEqual(refused(remedy));
    const codes = { raw: 'LENGTH', link: 'SYMLINK', directory: 'NOT_REGULAR', missing: 'MISSING', open: 'MODE' };
    for (const [name, code] of Object.entries(codes))
      expect(await sealwireHere(change(verb, at(name)))).toEqual(refused(new RegExp(`ERR_KEY_FILE_${code}`)));
    expect(readFileSync(ring)).toEqual(before);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  it.runIf(isRoot)('keeps its mode, owner and group', async () => {
    const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })]);
    chownSync(ring, 0, NOBODY);
    chmodSync(ring, 0o640);
    expect(await sealwireHere(change(verb, ring))).toMatchObject({ status: 0 });
    const { mode, uid, gid } = statSync(ring);
    expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o640, uid: 0, gid: NOBODY });
  });

  it('is parseable with --json, also if it fails', async () => {
    const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })]);
    const done = await sealwireHere([...change(verb, ring), '--json']);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ file: ring });
    const failed = await sealwireHere([...change(verb, `${ring}.missing`), '--json']);
    expect(failed).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'ERR_KEY_FILE_MISSING' } });
  });
});

describe('a directory that cannot be written to', () => {
  it.runIf(isRoot)('is reported by every change, which leaves the ring as it is', async () => {
    const directory = newDirectory();
    const ring = writeRing([entry({ state: 'primary' }), entry({ label: 'audit' })], directory);
    chownSync(ring, NOBODY, NOBODY);
    chmodSync(directory, 0o755);
    const before = readFileSync(ring);
    for (const verb of CHANGES) {
      const run = await sealwire(change(verb, ring), { uid: NOBODY });
      expect(run).toEqual(refused(/EACCES.*directory must be writable.*ERR_KEY_FILE_WRITE/));
    }
    expect(readFileSync(ring)).toEqual(before);
    expect(readdirSync(directory)).toEqual(['ring.json']);
  });

  it.runIf(isRoot)('is reported if the new file would get another group', async () => {
    const directory = newDirectory();
    const ring = writeRing([entry({ state: 'primary' })], directory);
    chownSync(ring, NOBODY, 0);
    chownSync(directory, NOBODY, NOBODY);
    const before = readFileSync(ring);
    expect(await sealwire(['keyring', 'install', ring], { uid: NOBODY })).toEqual(refused(/EPERM.*another owner/));
    expect(readFileSync(ring)).toEqual(before);
    expect(readdirSync(directory)).toEqual(['ring.json']);
  });
});

describe('a directory in the place of the new file or of the lock', () => {
  it.each([
    ['.ring.json.new', /EISDIR.*\.ring\.json\.new: delete the directory.*ERR_KEY_FILE_WRITE/],
    [
      '.ring.json.lock',
      /\.ring\.json\.lock \(not a regular file of at most \d+ bytes\).*delete the lock.*ERR_KEY_FILE_LOCKED/,
    ],
  ])('%s is reported with the remedy, and the ring stays as it is', async (name, reason) => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const before = readFileSync(ring);
    mkdirSync(join(dirname(ring), name));
    expect(await sealwireHere(['keyring', 'install', ring])).toEqual(refused(reason));
    expect(readFileSync(ring)).toEqual(before);
    expect(readdirSync(dirname(ring)).toSorted()).toEqual([name, 'ring.json']);
  });
});

describe('a keyring whose name is too long for a lock next to it', () => {
  it('is left as it is, and the error says so', async () => {
    const ring = join(newDirectory(), 'r'.repeat(250));
    writeFileSync(ring, readFileSync(writeRing([entry({ state: 'primary' })])), { mode: 0o600 });
    expect(await sealwireHere(['keyring', 'install', ring])).toEqual(refused(/ENAMETOOLONG.*a shorter name/));
    expect(Object.keys(statesOf(ring))).toHaveLength(1);
  });
});

describe('a command that an error names', () => {
  it('is one that this user can enter: npx sealwire, or npm run keys in the repository', async () => {
    const raw = join(newDirectory(), 'raw');
    writeFileSync(raw, generateKey(), { mode: 0o600 });
    const install = ['keyring', 'install', raw];
    const remedy = `convert ${raw} NEW_FILE, then rename NEW_FILE to ${raw})`;
    expect((await sealwireHere(install)).stderr).toContain(`(npx sealwire ${remedy}`);
    const program = 'npm run keys --';
    expect((await sealwireHere(install, { program })).stderr).toContain(`(${program} ${remedy}`);
    const verify = ['keyring', 'verify', `${raw}.missing`];
    for (const more of [[], ['--json']])
      expect((await sealwireHere([...verify, ...more], { program })).stdout).toContain(
        `(${program} keygen ${raw}.missing`,
      );
  });
});

describe('an empty argument, as of a variable of a script that is not set', () => {
  it.each([
    [['keyring', 'list', ''], /FILE is empty/],
    [['keyring', 'use', 'ring.json', ''], /KID is empty/],
    [['keygen', ''], /FILE is empty/],
    [['convert', 'a', ''], /TO is empty/],
    [['keyring', 'install', 'ring.json', '--label', ''], /--label is empty/],
    [['keyring', 'install', 'ring.json', '--patterns', 'a', '--patterns='], /--patterns is empty/],
    [['ping', '127.0.0.1:1', '--key', ''], /--key is empty/],
  ])('is refused with the exit code 2: %j', async (args, reason) => {
    expect(await sealwireHere(args)).toEqual(refused(reason, 2));
  });
});

describe.runIf(process.platform === 'linux')('a full disk', () => {
  it('under the output is one line on standard error, and the exit code 1', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'keyring', 'list', ring], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'sealwire: The output could not be written (ENOSPC)\n' });
  });
});

describe('the output of every verb', () => {
  it('never contains a key, whatever is wrong', async () => {
    const directory = newDirectory();
    const entries = [entry({ state: 'primary' }), entry({ label: 'audit' })];
    const [first, second] = entries.map(({ bytes }) => bytes);
    const secrets = { first: first ?? generateKey(), second: second ?? generateKey() };
    const ring = writeRing(entries, directory);
    const hex = Buffer.from(secrets.first).toString('hex');
    const base64 = Buffer.from(secrets.first).toString('base64');
    const raw = join(directory, 'raw');
    writeFileSync(raw, secrets.first, { mode: 0o600 });
    const broken = join(directory, 'broken');
    writeFileSync(broken, readFileSync(ring, 'utf8').replaceAll('"k":', '"secret":'), { mode: 0o600 });
    const texts = join(directory, 'hex');
    writeFileSync(texts, hex, { mode: 0o600 });
    const files = [ring, raw, broken, texts, hex, base64];
    const lines = files.flatMap((file) => [
      ['fingerprint', file],
      ['convert', file, join(directory, 'to')],
      ['keyring', 'list', file],
      ['keyring', 'verify', file],
    ]);
    const changes = files.flatMap((file) => CHANGES.map((verb) => change(verb, file)));
    const wrong = [
      ['keygen', hex],
      ['keygen', join(directory, 'new'), '--ring', '--label', base64],
      ['keyring', 'use', ring, hex, '--yes'],
      ['keyring', 'install', ring, `--patterns=${hex}`],
      ['keyring', 'install', ring, `--${hex}`],
      [hex],
      ['keyring', hex],
      ['fingerprint', ring, hex],
    ];
    const output: Buffer[] = [];
    for (const args of [...lines, ...changes, ...wrong])
      for (const more of [[], ['--json']]) {
        const { stdout, stderr } = await sealwireHere([...args, ...more]);
        output.push(Buffer.from(stdout), Buffer.from(stderr));
      }
    expect(findSecretsInOutput(output, secrets)).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.includes(hex.slice(0, 8)))).toEqual([]);
  });
});
