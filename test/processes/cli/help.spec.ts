// The help of `sealwire` at every level, and where its options may stand.
import { describe, expect, it } from 'vitest';

import { Input } from '../../../libs/transport/src/cli/input.js';
import { VERBS } from '../../../libs/transport/src/cli/verbs.js';
import { entry, writeRing } from './key-files.js';
import { sealwireHere } from './sealwire.js';

const NAMES = VERBS.map(({ name }) => name);

/** Splits a command as a shell does. */
const wordsOf = (command: string): readonly string[] =>
  (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));

describe('the help', () => {
  it.each(['', 'keyring', ...NAMES])('of "%s" is printed with an example, and the exit code is 0', async (name) => {
    const words = name === '' ? [] : name.split(' ');
    const { status, stdout, stderr } = await sealwireHere([...words, '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: sealwire ${name}[^]*\nExamples?:\n  sealwire ${name}`));
    for (const args of [
      ['help', ...words],
      [...words, '-h'],
      ['--help', ...words],
      [...words, '--json', '--help'],
    ])
      expect(await sealwireHere(args)).toEqual({ status, stdout, stderr });
  });

  it.each(VERBS)('of $name has an example that the verb accepts', (verb) => {
    const words = wordsOf(verb.example);
    const length = verb.name.split(' ').length;
    expect(words.slice(0, length).join(' ')).toBe(verb.name);
    expect(() => new Input(verb, words.slice(length), {})).not.toThrow();
  });

  it('of the verbs of keyrings has none of the other verbs', async () => {
    const { stdout } = await sealwireHere(['keyring', '--help']);
    for (const name of NAMES) expect(stdout.includes(`  ${name} `)).toBe(name.startsWith('keyring '));
  });
});

describe('the option --json', () => {
  it('may stand before the verb and between its words', async () => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const after = await sealwireHere(['keyring', 'list', ring, '--json']);
    expect(JSON.parse(after.stdout)).toMatchObject({ form: 'ring' });
    for (const args of [
      ['--json', 'keyring', 'list', ring],
      ['keyring', '--json', 'list', ring],
    ])
      expect(await sealwireHere(args)).toEqual(after);
  });
});

describe('a command without a verb', () => {
  it.each([
    [['keyring'], /needs one of these words after it: list, verify, install/],
    [['keyring', 'lists'], /needs one of these words/],
    [['keyring', '--yes', 'use'], /needs one of these words/],
    [['--yes', 'keyring', 'use'], /one of its options is before it/],
    [['--json'], /The verb is missing/],
    [['keyrings', '--help'], /no such verb/],
    [['help', 'keyrings'], /no such verb/],
  ])('is refused with the exit code 2: %j', async (args, reason) => {
    const { status, stdout, stderr } = await sealwireHere(args);
    expect([status, stdout + stderr]).toEqual([2, expect.stringMatching(reason)]);
  });

  it('is the overview if it is empty, with the exit code 2', async () => {
    expect(await sealwireHere([])).toMatchObject({ status: 2, stdout: expect.stringContaining('Usage: ') });
  });
});
