// Derives keys from the 32 bytes of a key file (docs/protocol.md §2), which are never used as a key of a cipher
// themselves.
import { hkdfExpand, hkdfExtract } from '../cipher/hkdf.js';
import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';

export const KEY_BYTES = 32;
export const KEY_ID_BYTES = 8;
const EXTRACT_SALT = new TextEncoder().encode('sealwire key file v1');

/** Everything that is derived from one key, in fresh buffers. */
export interface KeySchedule {
  /** 32 bytes: the pre-shared key of the channel's handshake. */
  readonly psk: Uint8Array;
  /** 32 bytes: the content encryption key of envelopes (docs/envelope.md §2). */
  readonly jwe: Uint8Array;
  /**
   * 8 public bytes that name the key on the wire. They are derived, so they cannot be assigned to another key by
   * mistake.
   */
  readonly keyId: Uint8Array;
}

/**
 * Derives the keys of docs/protocol.md §2. Checks the length of `key`, not its strength.
 *
 * @throws {CryptoError} `ERR_KEY_LENGTH`
 */
export function deriveKeySchedule(key: Uint8Array): KeySchedule {
  const prk = extract(key);
  const schedule = {
    psk: hkdfExpand(prk, 'channel psk', 32),
    jwe: hkdfExpand(prk, 'jwe dir', 32),
    keyId: hkdfExpand(prk, 'key id', KEY_ID_BYTES),
  };
  wipe(prk);
  return schedule;
}

/**
 * Returns the public name of a key as 16 hexadecimal digits, for logs and to compare the keys of two machines.
 *
 * @throws {CryptoError} `ERR_KEY_LENGTH`
 */
export function keyId(key: Uint8Array): string {
  const prk = extract(key);
  const id = toHex(hkdfExpand(prk, 'key id', KEY_ID_BYTES));
  wipe(prk);
  return id;
}

/** Returns public bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function extract(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) {
    throw new CryptoError('ERR_KEY_LENGTH', `Invalid key: ${key.length} bytes; expected ${KEY_BYTES}`);
  }
  return hkdfExtract(EXTRACT_SALT, key);
}
