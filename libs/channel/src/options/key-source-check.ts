// Checks the results of a `KeySource`, because it is user code that is called at every handshake.
import type { KeySource, SecretKey } from '@sealwire/crypto';

import { TransportError } from '../errors.js';
import type { PskOfKey } from '../handshake/index.js';
import { hasMethod, ignoreRejection, isThenable, show } from './option-check.js';

const KEY_ID_BYTES = 8;
const PSK_BYTES = 32;

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
 * @throws {TransportError} `ERR_BAD_OPTION`, or any error of the source.
 */
export function findPsk(keys: KeySource, idBytes: Uint8Array): Uint8Array | undefined {
  const found: SecretKey | null | undefined = keys.find(idBytes);
  return found === undefined || found === null ? undefined : pskOf('keyring.find()', checkKey('keyring.find()', found));
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
