// Checks the results of a `KeySource`, because it is user code that is called at every handshake.
import type { KeyDescription, KeysChange, KeySource, SecretKey } from '@sealwire/crypto';
import { guarded } from '@sealwire/crypto/internal';

import { codeOf, TransportError } from '../errors.js';
import type { PskOfKey } from '../handshake/index.js';
import { checkOption, FUNCTION, hasMethod, ignoreRejection, isThenable, show } from '../options/option-check.js';

const KEY_ID_BYTES = 8;
const PSK_BYTES = 32;
const LISTS_OF_IDS = ['added', 'removed', 'revoked', 'updated'] as const;
const FOUND = 'keyring.find()';

/**
 * Returns the key that starts handshakes.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, or any error of the source.
 */
export function primaryOf(keys: KeySource): PskOfKey & Pick<SecretKey, 'id'> {
  const key = checkKey('keyring.primary', keys.primary);
  const idBytes: unknown = key.idBytes;
  if (!isBytes(idBytes, KEY_ID_BYTES)) throw badKey('keyring.primary.idBytes', idBytes, `${KEY_ID_BYTES} bytes`);
  return { id: key.id, keyId: Buffer.from(idBytes), psk: pskOf('keyring.primary', key) };
}

/**
 * Returns the pre-shared key with this id; undefined if the source has none.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`; `ERR_INTERNAL` - the source failed.
 */
export function findPsk(keys: KeySource, idBytes: Uint8Array): Uint8Array | undefined {
  return find(keys, idBytes, (key) => {
    descriptionOf(key); // a wrong one is refused before the server answers
    return pskOf(FOUND, key);
  });
}

/**
 * Returns a copy of the label and the patterns of the key with this id; undefined if the source has no such key now.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`; `ERR_INTERNAL` - the source failed.
 */
export function findDescription(keys: KeySource, idBytes: Uint8Array): KeyDescription | undefined {
  return find(keys, idBytes, descriptionOf);
}

/**
 * Calls `listener` after every change of a source that reports changes. An error of the listener, and `ERR_BAD_OPTION`
 * for a change without lists of ids, is thrown to the source.
 *
 * @returns A function that removes the listener.
 * @throws {TransportError} `ERR_BAD_OPTION`, or any error of the source.
 */
export function watchKeys(keys: KeySource, listener: (change: KeysChange) => void): () => void {
  const onChange: unknown = Reflect.get(keys, 'onChange');
  if (onChange === undefined) return () => undefined;
  checkOption('keyring.onChange', onChange, FUNCTION);
  const stop = keys.onChange?.((change) => {
    for (const list of LISTS_OF_IDS)
      if (!isTexts(change[list]))
        throw badKey(`keyring.onChange() reported a change whose \`${list}\``, change[list], 'an array of key ids');
    listener(change);
  });
  if (typeof stop === 'function') return guarded('The function returned by keyring.onChange()', stop);
  throw badKey('The result of keyring.onChange()', stop, 'a function that removes the listener');
}

function find<T>(keys: KeySource, idBytes: Uint8Array, read: (key: SecretKey) => T): T | undefined {
  try {
    const found: SecretKey | null | undefined = keys.find(idBytes);
    return found === undefined || found === null ? undefined : read(checkKey(FOUND, found));
  } catch (cause) {
    if (codeOf(cause) !== undefined) throw cause;
    throw new TransportError('ERR_INTERNAL', 'find() of the keyring failed', { cause });
  }
}

/**
 * Returns the description of a key. Refuses wrong patterns, because the holder of the key could otherwise call every
 * pattern.
 */
function descriptionOf(key: SecretKey): KeyDescription {
  const label: unknown = key.label;
  const patterns: unknown = key.patterns;
  if (label !== undefined && typeof label !== 'string') throw badKey(`${FOUND}.label`, label, 'a string, or undefined');
  if (patterns === undefined) return { label, patterns };
  if (isTexts(patterns)) return { label, patterns: [...patterns] };
  throw badKey(`${FOUND}.patterns`, patterns, 'an array of strings, or undefined');
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function checkKey(name: string, key: SecretKey): SecretKey {
  if (hasMethod(key, 'psk')) return key;
  ignoreRejection(key);
  throw badKey(name, key, 'a SecretKey');
}

function pskOf(name: string, key: SecretKey): Uint8Array {
  const psk: unknown = key.psk();
  if (isBytes(psk, PSK_BYTES)) return psk;
  ignoreRejection(psk);
  throw badKey(`${name}.psk()`, psk, `${PSK_BYTES} bytes`);
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function badKey(name: string, value: unknown, mustBe: string): TransportError {
  const got = isThenable(value) ? 'a promise' : value instanceof Uint8Array ? `${value.length} bytes` : show(value);
  const remedy = isThenable(value) ? '. A KeySource is synchronous: load the keys before the handshake needs them' : '';
  return new TransportError('ERR_BAD_OPTION', `${name} is ${got}; it must be ${mustBe}${remedy}`, { sent: false });
}
