import { wipe } from '@sealwire/crypto';
import {
  clock,
  createFile,
  findEntry,
  formatEnvelopeKeys,
  isUsable,
  readEntries,
  resolveKeyFile,
} from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import { Failure } from '../failure.js';
import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { readOptions, wipeAll } from './key-view.js';

export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const [from, to] = [input.argument('FROM'), input.argument('TO')];
  const keys = readEntries(from, readOptions(input, terminal));
  wipeAll(keys);
  const chosen = chooseKeys(keys.entries, input.text('kid')).map(({ key }) => key);
  const content = formatEnvelopeKeys(chosen);
  try {
    await createFile(resolveKeyFile(to), content);
  } finally {
    wipe(content);
  }
  terminal.warn(
    `Anyone who has ${to} can open every broker message that is sealed with these keys, including recorded ones: protect it like the key file`,
  );
  const ids = chosen.map(({ id }) => id);
  return { json: { file: to, kids: ids }, text: `Created the JWK Set ${to} with ${ids.join(', ')}.` };
}

function chooseKeys(entries: readonly KeyringFileEntry[], name: string | undefined): readonly KeyringFileEntry[] {
  const named = name === undefined ? entries : [findEntry(entries, name)];
  const usable = named.filter((entry) => isUsable(entry, clock.unixMs()));
  if (usable.length > 0) return usable;
  const message =
    name === undefined
      ? 'No key of FROM can be used now: install a key, or correct the states and time windows'
      : 'The key cannot be used now: choose another key, or correct its state and time window';
  throw new Failure('ERR_KEYRING_NO_KEY', `${message} (npx sealwire keyring list)`);
}
