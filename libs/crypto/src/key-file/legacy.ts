import { CryptoError } from '../errors.js';
import { keyId } from '../keys/schedule.js';
import { checkKeyStrength } from '../keys/strength.js';
import type { KeyFileOptions } from './load.js';
import { resolveKeyFile } from './path.js';
import { formatMode } from './policy.js';
import { readKeyFile } from './read.js';

const OTHERS = 0o077;

/**
 * Reads a key file of the original demo (docs/protocol.md §9): any 32 bytes, even weak ones, in a regular file that
 * belongs to this user or root and may have any mode. Calls `warn` with the reasons why the channel would reject it.
 * Never use it for a key of the channel.
 *
 * @returns The 32 raw bytes (key and IV), in a buffer of their own.
 * @throws {CryptoError} `ERR_KEY_FILE_…`; the message names the remedy.
 */
export async function loadLegacyKeyFile(
  path: string,
  { warn }: Pick<KeyFileOptions, 'warn'> = {},
): Promise<Uint8Array> {
  const name = resolveKeyFile(path);
  const { content: key, mode } = readKeyFile(name, 'legacy');
  if (mode !== undefined && (mode & OTHERS) !== 0) {
    warn?.(`Key file ${name} has mode ${formatMode(mode)}, so other users can use it: run chmod 600 ${name}`);
  }
  const weakness = weaknessOf(key);
  if (weakness !== undefined) warn?.(`Key file ${name} contains a key that can be guessed (${weakness})`);
  return key;
}

function weaknessOf(key: Uint8Array): CryptoError['code'] | undefined {
  try {
    checkKeyStrength(key, keyId(key));
    return undefined;
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}
