// The configured path of a key file. Some users write the key itself there, as text.
import { resolve } from 'node:path';

import { CryptoError } from '../errors.js';

const QUOTED = /^(["'])(.*)\1$/;
const PREFIX = /^(?:0x|hex:|base64:)/i;
const HEX = /^[0-9a-f]{64}$/i;
/**
 * Requires upper case, lower case and digits: nearly every key has all three, and few names do. A text that starts like
 * a path must end like base64.
 */
const BASE64 = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?:[\w+-][\w+/-]{42}=?|\/[\w+/-]{42}=)$/;

/**
 * Returns whether a text looks like a key of 32 bytes: hex or base64, perhaps with quotes, separators or a line end.
 */
export function isKeyText(text: string): boolean {
  const bare = text.trim().replace(QUOTED, '$2').replace(PREFIX, '');
  return HEX.test(bare.replace(/[\s:-]/g, '')) || BASE64.test(bare);
}

/**
 * Returns the absolute path of a key file.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_NAME` - the path is a key, which error messages, the log and the name of a
 *   created file would reveal.
 */
export function resolveKeyFile(path: string): string {
  if (!isKeyText(path)) return resolve(path);
  const message =
    'The path of the key file looks like a key and is not shown: write the 32 bytes of the key to a file, and give its path';
  throw new CryptoError('ERR_KEY_FILE_NAME', message);
}
