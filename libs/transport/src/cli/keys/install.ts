import { generateKey, SecretKey, wipe } from '@sealwire/crypto';
import type { KeyDescription } from '@sealwire/crypto';
import { clock, editKeyringFile, installKey, parseTimestamp, readEntries } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import { printable } from '../terminal.js';
import type { Result } from '../verb.js';
import { nameOf, viewOf, wipeAll } from './key-view.js';
import { DEFAULT_LABEL } from './keygen.js';

export async function run(input: Input): Promise<Result> {
  const file = input.argument('FILE');
  const window = { notBefore: timestampOf(input, 'not-before'), notAfter: timestampOf(input, 'not-after') };
  if (window.notAfter !== undefined && window.notAfter <= clock.unixMs())
    throw input.usage('--not-after is in the past: no one could use the key');
  const bytes = readRaw(input) ?? generateKey();
  try {
    const key = SecretKey.fromBytes(bytes);
    let installed: KeyringFileEntry = { key, bytes, state: 'accept', ...window };
    await editKeyringFile(file, (entries) => {
      const primary = entries.find(({ state }) => state === 'primary');
      installed = { ...installed, key: key.describedAs(describe(input, primary)) };
      return installKey(entries, installed);
    });
    return {
      json: { file, key: viewOf(installed) },
      text: `Installed the key ${nameOf(installed)} with the state accept. Its holder may call ${patternsOf(installed)}. Both sides need the key before it is used.`,
    };
  } finally {
    wipe(bytes);
  }
}

/** A label that is copied takes its patterns with it: a rotation must not allow its holder more. */
function describe(input: Input, primary: KeyringFileEntry | undefined): KeyDescription {
  const [label, patterns] = [input.text('label'), input.texts('patterns')];
  if (label !== undefined) return { label, patterns };
  const { key } = primary ?? {};
  return { label: key?.label ?? DEFAULT_LABEL, patterns: patterns ?? key?.patterns };
}

function patternsOf({ key: { patterns } }: KeyringFileEntry): string {
  return printable(patterns === undefined ? 'all patterns' : patterns.join(' '));
}

function readRaw(input: Input): Uint8Array | undefined {
  const from = input.text('from');
  if (from === undefined) return undefined;
  const keys = readEntries(from);
  const [first] = keys.entries;
  const bytes = first?.bytes.slice();
  wipeAll(keys);
  if (keys.form === 'raw' && bytes !== undefined) return bytes;
  bytes?.fill(0);
  throw input.usage('--from is a keyring; expected a raw key file (sealwire convert makes one)');
}

function timestampOf(input: Input, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const unixMs = parseTimestamp(text);
  if (unixMs === undefined) throw input.usage(`--${name} is not a time such as 2027-01-31T12:00:00Z`);
  return unixMs;
}
