import { createKeyFile, generateKey, SecretKey, wipe } from '@sealwire/crypto';
import { createFile, formatKeyringFile, resolveKeyFile } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Result } from '../verb.js';

/** The label of the only key of a new keyring. */
export const DEFAULT_LABEL = 'main';

export async function run(input: Input): Promise<Result> {
  const file = input.argument('FILE');
  const label = input.text('label');
  if (!input.flag('ring')) {
    if (label !== undefined) throw input.usage('--label needs --ring: a raw key file has no labels');
    return created(file, 'raw', await createKeyFile(file));
  }
  const key = generateKey();
  try {
    return created(file, 'ring', await createRing(file, key, label));
  } finally {
    wipe(key);
  }
}

/** Creates a keyring with one primary key. Never overwrites a file. @returns The key id. */
export async function createRing(file: string, bytes: Uint8Array, label = DEFAULT_LABEL): Promise<string> {
  const path = resolveKeyFile(file);
  const key = SecretKey.fromBytes(bytes, 'The key', { label });
  const content = formatKeyringFile([{ key, state: 'primary', bytes }]);
  try {
    await createFile(path, content);
  } finally {
    wipe(content);
  }
  return key.id;
}

function created(file: string, form: 'raw' | 'ring', kid: string): Result {
  const what = form === 'raw' ? 'key file' : 'keyring';
  return {
    json: { file, form, kid },
    text: `Created the ${what} ${file} with the key ${kid}. Both sides need this key: copy the file over a channel that you trust.`,
  };
}
