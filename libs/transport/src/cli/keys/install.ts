import { generateKey, SecretKey, wipe } from '@sealwire/crypto';
import { editKeyringFile, installKey, parseMoment, readEntries } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Result } from '../verb.js';
import { wipeAll, viewOf } from './key-view.js';
import { DEFAULT_LABEL } from './keygen.js';

export async function run(input: Input): Promise<Result> {
  const file = input.argument('FILE');
  const window = { notBefore: momentOf(input, 'not-before'), notAfter: momentOf(input, 'not-after') };
  const bytes = readRaw(input) ?? generateKey();
  try {
    const key = SecretKey.fromBytes(bytes);
    let installed: KeyringFileEntry = { key, bytes, state: 'accept', ...window };
    await editKeyringFile(file, (entries) => {
      const primary = entries.find(({ state }) => state === 'primary');
      const label = input.text('label') ?? primary?.key.label ?? DEFAULT_LABEL;
      installed = { ...installed, key: key.describedAs({ label, patterns: input.texts('patterns') }) };
      return installKey(entries, installed);
    });
    return {
      json: { file, key: viewOf(installed) },
      text: `Installed the key ${key.id} (${installed.key.label}) with the state accept. Both sides need it before it is used.`,
    };
  } finally {
    wipe(bytes);
  }
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

function momentOf(input: Input, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const moment = parseMoment(text);
  if (moment === undefined) throw input.usage(`--${name} is not a time such as 2027-01-31T12:00:00Z`);
  return moment;
}
