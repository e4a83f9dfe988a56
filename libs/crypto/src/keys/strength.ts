// Rejects keys that can be guessed (docs/protocol.md §2.2). All checks together reject fewer than one random key in
// 10^10.
import { CryptoError } from '../errors.js';
import { followsPattern } from './pattern.js';
import { PUBLISHED_KEY_IDS } from './published.js';

const MIN_DISTINCT_BYTES = 17;
/** Allows for a few other bytes in a passphrase: accents, zeros, a byte order mark. */
const MIN_WORD_BYTES = 26;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Rejects a key of 32 bytes that was not drawn at random.
 *
 * @param id - The public id of the key.
 * @param origin - The name of the key in the message, such as `Key file /etc/sealwire/aes_key.bin`.
 * @throws {CryptoError} `ERR_KEY_REPEATED_BYTE`, `ERR_KEY_TEXT`, `ERR_KEY_FEW_VALUES`, `ERR_KEY_PATTERN`,
 *   `ERR_KEY_PUBLISHED`
 */
export function checkKeyStrength(key: Uint8Array, id: string, origin = 'The key'): void {
  const distinct = new Set(key).size;
  if (distinct === 1) {
    throw new CryptoError('ERR_KEY_REPEATED_BYTE', `${origin} has the same value in every byte: ${REMEDY}`);
  }
  if (isTypedText(key)) {
    throw new CryptoError('ERR_KEY_TEXT', `${origin} is text, so it is a password and not a key: ${REMEDY}`);
  }
  if (distinct < MIN_DISTINCT_BYTES) {
    throw new CryptoError('ERR_KEY_FEW_VALUES', `${origin} has only ${distinct} different byte values: ${REMEDY}`);
  }
  if (PUBLISHED_KEY_IDS.has(id)) {
    throw new CryptoError(
      'ERR_KEY_PUBLISHED',
      `${origin} has a value that has been published, so it is not secret: ${REMEDY}`,
    );
  }
  if (followsPattern(key)) {
    throw new CryptoError('ERR_KEY_PATTERN', `${origin} follows a pattern that can be guessed: ${REMEDY}`);
  }
}

const REMEDY =
  'create a random key (npx sealwire keygen with @sealwire/transport, or createKeyFile() of @sealwire/crypto)';

/** Detects text that a person typed, in any encoding, padded to 32 bytes, or with other bytes in between. */
function isTypedText(key: Uint8Array): boolean {
  if (withoutPadding(key).every(isText) || isUtf8Text(key)) return true;
  return key.filter((byte) => /[0-9A-Za-z ]/.test(String.fromCharCode(byte))).length >= MIN_WORD_BYTES;
}

/** Returns whether a byte is printable ASCII or white space. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || (byte >= 0x09 && byte <= 0x0d);
}

/** Removes the runs of one byte that pad a text to 32 bytes. */
function withoutPadding(key: Uint8Array): Uint8Array {
  const first = key.findIndex((byte) => byte !== key[0]);
  const last = key.findLastIndex((byte) => byte !== key.at(-1));
  return key.subarray(first > 1 ? first : 0, last < key.length - 2 ? last + 1 : key.length);
}

function isUtf8Text(key: Uint8Array): boolean {
  try {
    return /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}\s]*$/u.test(utf8.decode(key));
  } catch {
    return false;
  }
}
