// The changes of a keyring that operators make. Each returns the new entries, and refuses what would break the ring.
import { CryptoError } from '../errors.js';
import { formatTimestamp } from '../keys/timestamp.js';
import type { KeyState } from '../keys/ring-key.js';
import type { KeyringFileEntry } from '../ring-file/entry.js';

type Entries = readonly KeyringFileEntry[];

/** @throws {CryptoError} `ERR_KEYRING_DUPLICATE` - the ring has the key already, perhaps as a retired or revoked one. */
export function installKey(entries: Entries, entry: KeyringFileEntry): Entries {
  const same = entries.find(({ key }) => key.id === entry.key.id);
  if (same === undefined) return [...entries, entry];
  if (same.state === 'revoked') {
    const message = `Key ${same.key.id} is already in the keyring and is revoked, so it must never be used again: choose another key`;
    throw new CryptoError('ERR_KEYRING_DUPLICATE', message);
  }
  const message = `Key ${same.key.id} is already in the keyring, with the state ${same.state}; expected a different key`;
  throw new CryptoError('ERR_KEYRING_DUPLICATE', message);
}

/**
 * Makes a key primary. The previous primary key stays accepted.
 *
 * @throws {CryptoError} `ERR_KEYRING_CHANGE` - the key is revoked, or not usable at `unixMs`.
 */
export function useKey(entries: Entries, { key: { id }, state, ...window }: KeyringFileEntry, unixMs: number): Entries {
  if (state === 'revoked') throw refused(`Key ${id} is revoked and must never be used: choose another key`);
  const { notBefore = -Infinity, notAfter = Infinity } = window;
  if (unixMs < notBefore)
    throw refused(`Key ${id} may be used only from ${formatTimestamp(notBefore)}: wait until then`);
  if (unixMs >= notAfter)
    throw refused(`Key ${id} may be used only until ${formatTimestamp(notAfter)}: choose another key`);
  return entries.map((entry) => {
    if (entry.key.id === id) return { ...entry, state: 'primary' };
    return entry.state === 'primary' ? { ...entry, state: 'accept' } : entry;
  });
}

/** @throws {CryptoError} `ERR_KEYRING_CHANGE` - the key is primary or revoked. */
export function removeKey(entries: Entries, entry: KeyringFileEntry): Entries {
  if (entry.state !== 'revoked') return forgetKey(entries, entry);
  const message =
    `Key ${entry.key.id} was not removed, because it is revoked: without the entry, a server that has not loaded the ` +
    'revocation would only drain the connections of the key, and the key could be installed again';
  throw refused(`${message}. If every server has loaded the revocation, repeat the command with --forget-revoked`);
}

/**
 * Removes a key as {@link removeKey} does, even a revoked one. @throws {CryptoError} `ERR_KEYRING_CHANGE` - the key is
 * primary.
 */
export function forgetKey(entries: Entries, { key: { id }, state }: KeyringFileEntry): Entries {
  if (state === 'primary') throw isPrimary(id, 'removed');
  return entries.filter(({ key }) => key.id !== id);
}

/** @throws {CryptoError} `ERR_KEYRING_CHANGE` - the key is primary or revoked. */
export function retireKey(entries: Entries, { key: { id }, state }: KeyringFileEntry): Entries {
  if (state === 'primary') throw isPrimary(id, 'retired');
  if (state === 'revoked')
    throw refused(`Key ${id} is already revoked, which is stricter than retired: leave it as it is`);
  return withState(entries, id, 'retired');
}

/**
 * Revokes a key, even the primary one, because a leaked key must be stopped immediately. If the primary key is revoked,
 * no client can connect with the ring until another key is made primary.
 */
export function revokeKey(entries: Entries, { key: { id } }: KeyringFileEntry): Entries {
  return withState(entries, id, 'revoked');
}

function withState(entries: Entries, id: string, state: KeyState): Entries {
  return entries.map((entry) => (entry.key.id === id ? { ...entry, state } : entry));
}

function isPrimary(id: string, participle: string): CryptoError {
  const message = `Key ${id} is primary, and cannot be ${participle}: make another key primary first`;
  return refused(`${message} (npx sealwire keyring use)`);
}

function refused(message: string): CryptoError {
  return new CryptoError('ERR_KEYRING_CHANGE', message);
}
