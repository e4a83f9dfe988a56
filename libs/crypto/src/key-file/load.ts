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

/** How often the size of a file that another process has just created is read. All reads together outlast one write. */
const MAX_READS = 1_000;

export interface KeyFileOptions {
  /** The owners and modes that the file may have. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
  /** Called for the log, once per load, if the policy or the platform leaves something unchecked. */
  readonly warn?: ((message: string) => void) | undefined;
}

export interface KeyringOptions extends KeyFileOptions {
  /** Creates the key file if it is missing, and reports that by `warn`. Default: `false`. */
  readonly generate?: boolean | undefined;
}

/**
 * Reads the 32 bytes of a key file. Rejects weak keys, and files that other users could have read or written.
 *
 * @returns The raw key, in memory of its own. The channel needs the result of {@link loadKeyring} instead.
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message names the remedy.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Uint8Array> {
  return load(path, options, (key, origin) => {
    checkKeyStrength(key, keyId(key), origin);
    return key.slice();
  });
}

/**
 * Reads a key file into a keyring. Processes that create the missing file at the same time all get the same key.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message names the remedy.
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

/** @param take - Checks the strength of the key and copies what it needs: the key is overwritten afterwards. */
function load<T>(path: string, options: KeyFileOptions, take: (key: Uint8Array, origin: string) => T): T {
  const { policy = 'strict', warn } = options;
  const name = resolveKeyFile(path);
  const { key, mode } = readKeyFile(name, policy);
  let taken: T;
  try {
    taken = take(key, `Key file ${name}`);
  } finally {
    wipe(key); // also a weak key: it may be in use elsewhere
  }
  if (mode === undefined) {
    warn?.(`Key file ${name}: only length and strength were checked, because this platform has no owners and modes`);
  } else if (policy === 'mounted-secret') {
    warn?.(`Key file ${name}: the policy mounted-secret follows links and lets other users read the file`);
  }
  return taken;
}

async function createUnlessThere(path: string, { warn }: KeyringOptions): Promise<void> {
  try {
    const id = await createKeyFile(path);
    warn?.(`Key file ${resolve(path)} was missing and has been created, key id ${id}: copy it to the other side`);
  } catch (error) {
    if (!hasCode(error, 'ERR_KEY_FILE_EXISTS')) throw error; // another process was faster: use its key
  }
}

/**
 * On a file system without hard links, another process may have created the file without having written its bytes yet.
 */
async function waitForBytes(path: string): Promise<void> {
  for (let reads = 1; reads < MAX_READS; reads++) {
    const { size } = await stat(path);
    if (size > 0) return;
  }
}

function hasCode(error: unknown, code: CryptoError['code']): boolean {
  return error instanceof CryptoError && error.code === code;
}
