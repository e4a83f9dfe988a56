import { randomFillSync } from 'node:crypto';

import { CryptoError } from '../errors.js';
import { KEY_BYTES, keyId } from './schedule.js';
import { checkKeyStrength } from './strength.js';

/**
 * Returns 32 random bytes in a buffer of their own.
 *
 * @throws {CryptoError} `ERR_RANDOM_FAILED` - the random source of the system failed, or its output is not random.
 */
export function generateKey(): Uint8Array {
  try {
    const key = randomFillSync(new Uint8Array(KEY_BYTES));
    checkKeyStrength(key, keyId(key)); // zeros from a broken source must not become a key
    return key;
  } catch (cause) {
    throw new CryptoError('ERR_RANDOM_FAILED', 'The random source of this system failed', { cause });
  }
}
