import type { KeyFilePolicy } from './policy.js';
import { checkKeyStrength } from '../keys/strength.js';
import { resolveKeyFile } from './path.js';
import { readKeyFile } from './read.js';
import { wipe } from '../cipher/secret-bytes.js';

export interface KeyFileOptions {
  /** How closed the file has to be. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
  /** Told for the log, once per load, of what the policy or the platform leaves unchecked. */
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * Reads the 32 bytes of a key file. Anything that is not certainly a strong key in the right hands is refused.
 *
 * @returns The raw key, in memory of its own. {@link loadKeyring} makes of it what the channel needs.
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message says what to do.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Uint8Array> {
  const { policy = 'strict', warn } = options;
  const name = resolveKeyFile(path);
  const { key, mode } = readKeyFile(name, policy);
  try {
    checkKeyStrength(key, `Key file ${name}`);
  } catch (error) {
    wipe(key); // a weak key may be strong enough for something else
    throw error;
  }
  if (mode === undefined) {
    warn?.(`Key file ${name}: only length and strength were checked, this platform has no owners and modes`);
  } else if (policy === 'mounted-secret') {
    warn?.(`Key file ${name}: under the policy mounted-secret links are followed, and others may read the file`);
  }
  return key;
}
