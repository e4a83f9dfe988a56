import { generateKey, SecretKey, wipe } from '@sealwire/crypto';
import type { KeyDescription } from '@sealwire/crypto';
import { clock, editKeyringFile, installKey, parseTimestamp, readEntries } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import { parsePattern } from '../pattern.js';
import { printable } from '../terminal.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { nameOf, readOptions, viewOf, wipeAll } from './key-view.js';
import { DEFAULT_LABEL } from './keygen.js';

export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const file = input.argument('FILE');
  const window = { notBefore: timestampOf(input, 'not-before'), notAfter: timestampOf(input, 'not-after') };
  if (window.notAfter !== undefined && window.notAfter <= clock.unixMs())
    throw input.usage('--not-after is in the past, so no one could use the key');
  const patterns = patternsOf(input, terminal);
  const bytes = readRaw(input, terminal) ?? generateKey();
  try {
    const key = SecretKey.fromBytes(bytes);
    let installed: KeyringFileEntry = { key, bytes, state: 'accept', ...window };
    await editKeyringFile(file, (entries) => {
      const primary = entries.find(({ state }) => state === 'primary');
      installed = { ...installed, key: key.describedAs(describe(input.text('label'), patterns, primary)) };
      return installKey(entries, installed);
    });
    return {
      json: { file, key: viewOf(installed) },
      text: `Installed the key ${nameOf(installed)} with the state accept. Its holder may call ${formatPatterns(installed)}. Both sides need the key before it is used.`,
    };
  } finally {
    wipe(bytes);
  }
}

/**
 * Returns the description of the new key. A label that is copied takes its patterns with it, because a rotation must
 * not allow the holder more.
 */
function describe(
  label: string | undefined,
  patterns: readonly string[] | undefined,
  primary: KeyringFileEntry | undefined,
): KeyDescription {
  if (label !== undefined) return { label, patterns };
  const { key } = primary ?? {};
  return { label: key?.label ?? DEFAULT_LABEL, patterns: patterns ?? key?.patterns };
}

/** Returns the patterns as the server compares them: the members of an object are sorted. */
function patternsOf(input: Input, terminal: Terminal): readonly string[] | undefined {
  const patterns = input.texts('patterns')?.map(parsePattern);
  for (const pattern of patterns ?? [])
    if (pattern.includes(',') && !pattern.startsWith('{'))
      terminal.warn(`${JSON.stringify(pattern)} is one pattern with a comma; for several, repeat --patterns`);
  return patterns;
}

function formatPatterns({ key: { patterns } }: KeyringFileEntry): string {
  return printable(patterns === undefined ? 'all patterns' : patterns.join(' '));
}

function readRaw(input: Input, terminal: Terminal): Uint8Array | undefined {
  const from = input.text('from');
  if (from === undefined) return undefined;
  const keys = readEntries(from, readOptions(input, terminal));
  const [first] = keys.entries;
  const bytes = first?.bytes.slice();
  wipeAll(keys);
  if (keys.form === 'raw' && bytes !== undefined) return bytes;
  bytes?.fill(0);
  throw input.usage('--from is a keyring; expected a raw key file (npx sealwire convert makes one)');
}

function timestampOf(input: Input, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const unixMs = parseTimestamp(text);
  if (unixMs === undefined) throw input.usage(`--${name} is not a time such as 2027-01-31T12:00:00Z`);
  return unixMs;
}
