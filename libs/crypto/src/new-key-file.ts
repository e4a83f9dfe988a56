// Making a key file so that no other process ever sees half of it, and of many at once exactly one wins.
import { randomUUID } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { CryptoError } from './errors.js';
import { keyId } from './key-schedule.js';
import { generateKey } from './random-key.js';
import { wipe } from './secret-bytes.js';
import { errnoOf } from './system-error.js';

const OWNER_ONLY = 0o600;

/**
 * Makes a key file with mode 0600. Never overwrites: where something stands already, it stays as it was.
 *
 * @returns The id of the new key.
 * @throws {CryptoError} `ERR_KEY_FILE_EXISTS`, `ERR_KEY_FILE_CREATE`, `ERR_RANDOM_FAILED`
 */
export async function createKeyFile(path: string): Promise<string> {
  const key = generateKey();
  const name = resolve(path);
  try {
    await publish(name, key);
    await syncDirectory(dirname(name));
  } catch (cause) {
    wipe(key);
    throw createFailed(name, cause);
  }
  const id = keyId(key);
  wipe(key);
  return id;
}

// Unlike `rename`, `link` fails where the name is taken; and the key is whole and on disk before it has its name.
async function publish(path: string, key: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.sealwire-${randomUUID()}.key`);
  const file = await open(temporary, 'wx', OWNER_ONLY); // O_CREAT and O_EXCL: never through a link that somebody laid
  try {
    try {
      await file.chmod(OWNER_ONLY); // whatever the umask took away
      await file.writeFile(key);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } finally {
    await unlink(temporary);
  }
}

/** Makes the new name survive a power cut. Windows cannot open directories, and needs no such thing. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function createFailed(path: string, cause: unknown): CryptoError {
  const errno = errnoOf(cause);
  if (errno === 'EEXIST') {
    return new CryptoError('ERR_KEY_FILE_EXISTS', `${path} exists and is not overwritten: choose another name`, {
      cause,
    });
  }
  const message = `No key file could be made at ${path} (${errno}): its directory must exist and let this user write`;
  return new CryptoError('ERR_KEY_FILE_CREATE', message, { cause });
}
