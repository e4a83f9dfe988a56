// Keys that somebody could guess (docs/protocol.md §2). 32 random bytes fail none of these in the life of the universe.
import { CryptoError } from './errors.js';
import { keyId } from './key-schedule.js';

const MIN_DISTINCT_BYTES = 17;

/** Ids of keys that everybody can look up: the one of the published test vectors. The ids are public, so is this list. */
const PUBLISHED_KEY_IDS: ReadonlySet<string> = new Set(['0b56bfc1696f34ec']);

/**
 * Refuses a key of 32 bytes that was not drawn at random.
 *
 * @param origin - What the message calls the key, such as `Key file /etc/sealwire/aes_key.bin`.
 * @throws {CryptoError} `ERR_KEY_REPEATED_BYTE`, `ERR_KEY_TEXT`, `ERR_KEY_FEW_VALUES`, `ERR_KEY_PUBLISHED`, `ERR_KEY_LENGTH`
 */
export function checkKeyStrength(key: Uint8Array, origin = 'The key'): void {
  const id = keyId(key);
  const distinct = new Set(key).size;
  if (distinct === 1) {
    throw new CryptoError('ERR_KEY_REPEATED_BYTE', `${origin} repeats one byte: ${REMEDY}`);
  }
  if (key.every(isText)) {
    throw new CryptoError('ERR_KEY_TEXT', `${origin} is text, a password rather than a key: ${REMEDY}`);
  }
  if (distinct < MIN_DISTINCT_BYTES) {
    throw new CryptoError('ERR_KEY_FEW_VALUES', `${origin} has only ${distinct} different byte values: ${REMEDY}`);
  }
  if (PUBLISHED_KEY_IDS.has(id)) {
    throw new CryptoError('ERR_KEY_PUBLISHED', `${origin} is the one of the published test vectors: ${REMEDY}`);
  }
}

const REMEDY = 'make a random one with "npm run keys -- keygen FILE"';

/** Printable ASCII, or the white space that a text editor leaves. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || (byte >= 0x09 && byte <= 0x0d);
}
