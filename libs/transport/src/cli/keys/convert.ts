import { createFile, findEntry, readEntries, resolveKeyFile } from '@sealwire/crypto/internal';
import type { KeyFileEntries, KeyringFileEntry } from '@sealwire/crypto/internal';

import { Failure } from '../failure.js';
import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { readOptions, wipeAll } from './key-view.js';
import { createRing } from './keygen.js';

export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const [from, to] = [input.argument('FROM'), input.argument('TO')];
  const keys = readEntries(from, readOptions(input, terminal));
  try {
    const { bytes, key } = chooseKey(input, keys);
    const form = keys.form === 'raw' ? 'ring' : 'raw';
    if (form === 'ring') await createRing(to, bytes, input.text('label'));
    else await createFile(resolveKeyFile(to), bytes);
    const what = form === 'ring' ? 'keyring' : 'raw key file';
    return { json: { file: to, form, kid: key.id }, text: `Created the ${what} ${to} with the key ${key.id}.` };
  } finally {
    wipeAll(keys);
  }
}

function chooseKey(input: Input, { form, entries }: KeyFileEntries): KeyringFileEntry {
  const name = input.text('kid');
  const isRaw = form === 'raw';
  if (isRaw && name !== undefined) throw input.usage('--kid needs a keyring: FROM has one raw key');
  if (!isRaw && input.text('label') !== undefined) throw input.usage('--label needs a raw key file: FROM is a keyring');
  const chosen = name === undefined ? entries.find(({ state }) => state === 'primary') : findEntry(entries, name);
  if (chosen === undefined)
    throw new Failure('ERR_KEYRING_NO_PRIMARY', 'The keyring has no primary key: name a key with --kid');
  if (chosen.state !== 'revoked') return chosen;
  const message = `Key ${chosen.key.id} is revoked and must never be used: choose another key`;
  throw new Failure('ERR_KEYRING_CHANGE', message);
}
