import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { Keyring } from '../keys/keyring.js';
import { keyId } from '../keys/schedule.js';
import { SecretKey } from '../keys/secret-key.js';
import { checkKeyStrength } from '../keys/strength.js';
import { createKeyFile } from './create.js';
import { resolveKeyFile } from './path.js';
import type { KeyFilePolicy } from './policy.js';
import { readKeyFile } from './read.js';

/** The number of times that a file which another process has just made is looked at: for longer than one write takes. */
const MAX_READS = 1_000;

export interface KeyFileOptions {
  /** How closed the file has to be. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
  /** Called for the log, once per load, with what the policy or the platform leaves unchecked. */
  readonly warn?: ((message: string) => void) | undefined;
}

export interface KeyringOptions extends KeyFileOptions {
  /** Makes the key file if it is missing, and calls `warn` with that. Default: `false`. */
  readonly generate?: boolean | undefined;
}

/**
 * Reads the 32 bytes of a key file. Anything that is not certainly a strong key in the right hands is refused.
 *
 * @returns The raw key, in memory of its own. {@link loadKeyring} makes of it what the channel needs.
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message says what to do.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Uint8Array> {
  return load(path, options, (key, origin) => {
    checkKeyStrength(key, keyId(key), origin);
    return key.slice();
  });
}

/**
 * Reads a key file into a keyring. Processes that make the missing file at once all end with the same key.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message says what to do.
 */
export async function loadKeyring(path: string, options: KeyringOptions = {}): Promise<Keyring> {
  try {
    return loadExisting(path, options);
  } catch (error) {
    if (options.generate !== true || !hasCode(error, 'ERR_KEY_FILE_MISSING')) throw error;
  }
  await createUnlessThere(path, options);
  await waitForBytes(path);
  return loadExisting(path, options);
}

function loadExisting(path: string, options: KeyFileOptions): Keyring {
  return Keyring.of(load(path, options, (key, origin) => SecretKey.fromBytes(key, origin)));
}

/** @param take - Checks how strong the key is, and takes what it needs of it: the key is overwritten afterwards. */
function load<T>(path: string, options: KeyFileOptions, take: (key: Uint8Array, origin: string) => T): T {
  const { policy = 'strict', warn } = options;
  const name = resolveKeyFile(path);
  const { key, mode } = readKeyFile(name, policy);
  let taken: T;
  try {
    taken = take(key, `Key file ${name}`);
  } finally {
    wipe(key); // also a weak key: it may be strong enough for something else
  }
  if (mode === undefined) {
    warn?.(`Key file ${name}: only length and strength were checked, this platform has no owners and modes`);
  } else if (policy === 'mounted-secret') {
    warn?.(`Key file ${name}: under the policy mounted-secret links are followed, and others may read the file`);
  }
  return taken;
}

async function createUnlessThere(path: string, { warn }: KeyringOptions): Promise<void> {
  try {
    const id = await createKeyFile(path);
    warn?.(`Key file ${resolve(path)} was missing and has been made, key id ${id}: the other side needs a copy`);
  } catch (error) {
    if (!hasCode(error, 'ERR_KEY_FILE_EXISTS')) throw error; // another process was faster: its key counts
  }
}

/** On a file system without hard links, another process may have made the file and not yet have written its bytes. */
async function waitForBytes(path: string): Promise<void> {
  for (let reads = 1; reads < MAX_READS; reads++) {
    const { size } = await stat(path);
    if (size > 0) return;
  }
}

function hasCode(error: unknown, code: CryptoError['code']): boolean {
  return error instanceof CryptoError && error.code === code;
}
