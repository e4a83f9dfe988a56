import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { CryptoError } from '../errors.js';
import { loadKeyFile } from './load.js';
import type { KeyFileOptions } from './load.js';
import { Keyring } from '../keys/keyring.js';
import { createKeyFile } from './create.js';
import { wipe } from '../cipher/secret-bytes.js';
import { SecretKey } from '../keys/secret-key.js';

/** How often a file that another process has just made is looked at: for longer than one write takes. */
const MAX_READS = 1_000;

export interface KeyringOptions extends KeyFileOptions {
  /** Makes the key file where it is missing, and tells `warn` so. Default: `false`. */
  readonly generate?: boolean | undefined;
}

/**
 * Reads a key file into a keyring. Processes that make the missing file at once all end with the same key.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message says what to do.
 */
export async function loadKeyring(path: string, options: KeyringOptions = {}): Promise<Keyring> {
  const key = options.generate === true ? await loadOrCreate(path, options) : await loadKeyFile(path, options);
  const secretKey = SecretKey.fromBytes(key);
  wipe(key); // only what is derived from it is needed from here on
  return Keyring.of(secretKey);
}

async function loadOrCreate(path: string, options: KeyringOptions): Promise<Uint8Array> {
  try {
    return await loadKeyFile(path, options);
  } catch (error) {
    if (!hasCode(error, 'ERR_KEY_FILE_MISSING')) throw error;
  }
  await createUnlessThere(path, options);
  return loadMade(path, options);
}

/** On a file system without hard links, another process may have made the file and not yet have written its bytes. */
async function loadMade(path: string, options: KeyringOptions): Promise<Uint8Array> {
  for (let left = MAX_READS; left > 1; left--) {
    const { size } = await stat(path);
    if (size > 0) break;
  }
  return loadKeyFile(path, options);
}

async function createUnlessThere(path: string, options: KeyringOptions): Promise<void> {
  try {
    const id = await createKeyFile(path);
    options.warn?.(
      `Key file ${resolve(path)} was missing and has been made, key id ${id}: the other side needs a copy`,
    );
  } catch (error) {
    if (!hasCode(error, 'ERR_KEY_FILE_EXISTS')) throw error; // another process was faster: its key counts
  }
}

function hasCode(error: unknown, code: CryptoError['code']): boolean {
  return error instanceof CryptoError && error.code === code;
}
