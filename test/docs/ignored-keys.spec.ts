// No file with a key, by a name that a document or the help of the command line gives it, is committed or copied into an image.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { KEY_VERBS, KEYRING_VERBS } from '../../libs/transport/src/cli/keys/verbs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const FOLDERS = ['docs', 'libs', 'clients', 'examples'];
const NOT_OURS = /node_modules|\/dist\//;

/** The files that a verb reads or writes, and the settings and options that name a key file. */
const NAMED = [
  /\b(?:keygen|fingerprint|keyring [a-z]+) ([\w./-]+\.\w+)/g,
  /\b(?:convert|jwks) ([\w./-]+\.\w+) ([\w./-]+\.\w+)/g,
  /--(?:from|key) ([\w./-]+\.\w+)/g,
  /\b(?:keyFile: |KEY_FILE(?:=|: ?)|WatchedKeyFile\.open\(|loadKeyring\()'?([\w./-]+\.\w+)/g,
];

const documents = FOLDERS.flatMap((folder) => {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}).filter((path) => !NOT_OURS.test(path));

const texts = [
  ...['README.md', 'CONTRIBUTING.md', 'docker-compose.yml', ...documents].map(read),
  ...[...KEY_VERBS, ...KEYRING_VERBS].map(({ example }) => example),
];

const names = new Set(
  texts.flatMap((text) =>
    NAMED.flatMap((pattern) =>
      [...text.matchAll(pattern)].flatMap(([, ...paths]) => paths.map((path) => basename(path))),
    ),
  ),
);

/** The names that a list of ignored files matches. Its lines have no other wildcard than `*`. */
function ignoredBy(path: string, prefix: string): (name: string) => boolean {
  const lines = read(path).split('\n');
  const globs = lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  const patterns = globs.map((glob) => new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`));
  return (name) => patterns.some((pattern) => pattern.test(name));
}

describe.each([
  ['.gitignore', ''],
  ['.dockerignore', '**/'],
])('%s', (path, prefix) => {
  const isIgnored = ignoredBy(path, prefix);

  it('ignores every key file that a document or an example of the command line names', () => {
    expect([...names]).toEqual(expect.arrayContaining(['aes_key.bin', 'new_key.bin', 'ring.json', 'envelope.jwks']));
    expect([...names].filter((name) => !isIgnored(name))).toEqual([]);
  });

  it('ignores what a change of such a file leaves after a crash, and copies of it', () => {
    const left = [...names].flatMap((name) => [`.${name}.new`, `${name}.bak`, `${name}~`]);
    expect([...left, '.sealwire-0f1e.key'].filter((name) => !isIgnored(name))).toEqual([]);
  });

  it('ignores files of settings, which may have a token', () => {
    expect(['.env', '.env.local'].filter((name) => !isIgnored(name))).toEqual([]);
  });
});
