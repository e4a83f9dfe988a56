import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { Keyring } from '../keys/keyring.js';
import { KEY_BYTES, keyId } from '../keys/schedule.js';
import { SecretKey } from '../keys/secret-key.js';
import { checkKeyStrength } from '../keys/strength.js';
import { parseKeyringFile } from '../ring-file/ring-file.js';
import { createKeyFile } from './create.js';
import { resolveKeyFile } from './path.js';
import type { FilePolicy, KeyFilePolicy } from './policy.js';
import { readKeyFile } from './read.js';

/** How often the size of a file that another process has just created is read. All reads together outlast one write. */
const MAX_READS = 1_000;

/** The checks of a key file. */
export interface KeyFileOptions {
  /** The owners and modes that the file may have. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
  /**
   * The function that receives warnings for the log. Called once per load if the policy or the platform leaves
   * something unchecked.
   */
  readonly warn?: ((message: string) => void) | undefined;
}

/** The options of a library or a command that reads a key file. */
export interface ReadOptions extends Pick<KeyFileOptions, 'warn'> {
  readonly policy?: FilePolicy | undefined;
}

/** The checks of a key file, and the creation of a missing one. */
export interface KeyringOptions extends KeyFileOptions {
  /** Whether to create the key file, with mode 0600, if it is missing; `warn` reports that. Default: `false`. */
  readonly generate?: boolean | undefined;
}

/**
 * Reads the 32 bytes of a key file, which must not be a keyring. Rejects weak keys, and files that other users could have
 * read or written.
 *
 * @returns The raw key, in a buffer of its own. The channel needs the result of {@link loadKeyring} instead.
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message names the remedy.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Uint8Array> {
  return load(path, options, (content, origin) => {
    if (content.length !== KEY_BYTES) {
      const message = `${origin} is a keyring; expected the ${KEY_BYTES} raw bytes of one key: use loadKeyring()`;
      throw new CryptoError('ERR_KEY_FILE_LENGTH', message);
    }
    checkKeyStrength(content, keyId(content), origin);
    return content.slice();
  });
}

/**
 * Reads a key file into a keyring: 32 raw bytes become the primary key of the ring; from a keyring file, the ring
 * gets the keys that the file lists. Processes that create the missing file at the same time all get the same key.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_…`, `ERR_KEYRING_…`, or the `ERR_KEY_…` of a weak key; the message names the
 * remedy.
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
  return load(path, options, (content, origin) => toKeyring(content, origin));
}

/**
 * Checks the access to a key file, and reads it.
 *
 * @param take - Checks the content and copies what it needs: the content is overwritten afterwards.
 *   `status` is that of the descriptor which was checked.
 */
export function load<T>(
  path: string,
  options: ReadOptions,
  take: (content: Uint8Array, origin: string, status: Stats) => T,
): T {
  const { policy = 'strict', warn } = options;
  const name = resolveKeyFile(path);
  const { content, mode, status } = readKeyFile(name, policy);
  let taken: T;
  try {
    taken = take(content, `Key file ${name}`, status);
  } finally {
    wipe(content); // also a weak key: it may be in use elsewhere
  }
  if (mode === undefined) {
    warn?.(`Key file ${name}: only its content was checked, because this platform has no owners and modes`);
  } else if (policy === 'mounted-secret') {
    warn?.(`Key file ${name}: the policy mounted-secret follows links and lets other users read the file`);
  }
  return taken;
}

/**
 * Returns the keys of a key file's content, which is either 32 raw bytes or a keyring.
 *
 * @param known - Keys whose strength was checked before, by id.
 */
export function toKeyring(content: Uint8Array, origin: string, known?: ReadonlyMap<string, SecretKey>): Keyring {
  if (content.length === KEY_BYTES) return Keyring.of(SecretKey.fromBytes(content, origin));
  const entries = parseKeyringFile(content, origin, known);
  for (const { bytes } of entries) wipe(bytes);
  return Keyring.ofRing(entries);
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
 * Waits until a file has bytes: on a file system without hard links, another process may have created the file and not
 * have written its bytes yet.
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
