import { CryptoError } from '../errors.js';
import { isKeyText } from '../key-file/path.js';
import type { RingKey } from '../keys/ring-key.js';
import { isKeyId } from '../ring-file/entry.js';

/** Fewer digits would be the beginning of another key's id too often, if they were meant as a label. */
const ID_BEGINNING = /^[0-9a-f]{4,15}$/;

/**
 * Returns the entry that an operator names by its key id, by at least 4 digits of its beginning, or by a label that no
 * other key has. 16 digits name only a key id.
 *
 * @throws {CryptoError} `ERR_KEYRING_NO_KEY` - no key has that name, or more than one.
 */
export function findEntry<Entry extends RingKey>(entries: readonly Entry[], name: string): Entry {
  if (isKeyText(name)) {
    const message = 'The name of the key looks like a key and is not shown: give its key id or its label';
    throw new CryptoError('ERR_KEYRING_NO_KEY', message);
  }
  const isBeginning = ID_BEGINNING.test(name);
  const found = entries.filter(({ key: { id, label } }) => {
    if (isKeyId(name)) return id === name;
    return label === name || (isBeginning && id.startsWith(name));
  });
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const message =
    only === undefined
      ? `The keyring has no key ${JSON.stringify(name)}; it has ${namesOf(entries)}`
      : `${JSON.stringify(name)} names ${found.length} keys: ${namesOf(found)}. Give a whole key id`;
  throw new CryptoError('ERR_KEYRING_NO_KEY', message);
}

const MAX_NAMES = 8;

function namesOf(entries: readonly RingKey[]): string {
  const names = entries
    .slice(0, MAX_NAMES)
    .map(({ key: { id, label } }) => (label === undefined ? id : `${id} "${label}"`));
  const more = entries.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
