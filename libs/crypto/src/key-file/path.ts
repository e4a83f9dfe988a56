// The path of a key file, as it is configured. Some users write the key itself there, as text.
import { resolve } from 'node:path';

import { CryptoError } from '../errors.js';

const QUOTED = /^(["'])(.*)\1$/;
const PREFIX = /^(?:0x|hex:|base64:)/i;
const HEX = /^[0-9a-f]{64}$/i;
/** With all three kinds, as nearly every key has them and few names do; a text that begins as a path has to end as base64. */
const BASE64 = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?:[\w+-][\w+/-]{42}=?|\/[\w+/-]{42}=)$/;

/** Whether a text looks like a key of 32 bytes, in hex or base64, with or without quotes, separators and a line end. */
export function isKeyText(text: string): boolean {
  const bare = text.trim().replace(QUOTED, '$2').replace(PREFIX, '');
  return HEX.test(bare.replace(/[\s:-]/g, '')) || BASE64.test(bare);
}

/**
 * The absolute path of a key file.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_NAME` - the path is a key: error messages, the log, and the name of a file that is
 *   made would show it.
 */
export function resolveKeyFile(path: string): string {
  if (!isKeyText(path)) return resolve(path);
  const message =
    'The path of the key file looks like a key, and is not shown: write the 32 bytes of the key to a file, and name that';
  throw new CryptoError('ERR_KEY_FILE_NAME', message);
}
