import { CryptoError } from '../errors.js';
import { isKeyText } from '../key-file/path.js';
import type { KeyringFileEntry } from '../ring-file/entry.js';

/**
 * Returns the entry that an operator names by its key id, by the beginning of its key id, or by a label that no other key
 * has.
 *
 * @throws {CryptoError} `ERR_KEYRING_NO_KEY` - no key has that name, or more than one.
 */
export function findEntry(entries: readonly KeyringFileEntry[], name: string): KeyringFileEntry {
  if (isKeyText(name)) {
    const message = 'The name of the key looks like a key and is not shown: give its key id or its label';
    throw new CryptoError('ERR_KEYRING_NO_KEY', message);
  }
  const exact = entries.find(({ key }) => key.id === name);
  if (exact !== undefined) return exact;
  const found = entries.filter(({ key }) => key.label === name || (name !== '' && key.id.startsWith(name)));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const message =
    only === undefined
      ? `The keyring has no key ${JSON.stringify(name)}; it has ${namesOf(entries)}`
      : `${JSON.stringify(name)} names ${found.length} keys: ${namesOf(found)}. Give a whole key id`;
  throw new CryptoError('ERR_KEYRING_NO_KEY', message);
}

const MAX_NAMES = 8;

function namesOf(entries: readonly KeyringFileEntry[]): string {
  const names = entries
    .slice(0, MAX_NAMES)
    .map(({ key: { id, label } }) => (label === undefined ? id : `${id} "${label}"`));
  const more = entries.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
