// Makes a key file so that no other process ever sees half of it, and exactly one of several processes wins. On a file
// system without hard links only the latter holds.
import { randomUUID } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { generateKey } from '../keys/generate.js';
import { keyId } from '../keys/schedule.js';
import { resolveKeyFile } from './path.js';
import { formatMode } from './policy.js';
import { errnoOf } from './system-error.js';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
/** Failures of `link` and `fsync` on exFAT, vfat, and many mounts of SMB and FUSE. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/**
 * Makes a key file with mode 0600. Never overwrites: an existing file stays as it was.
 *
 * @returns The id of the new key.
 * @throws {CryptoError} `ERR_KEY_FILE_NAME`, `ERR_KEY_FILE_EXISTS`, `ERR_KEY_FILE_CREATE`, `ERR_RANDOM_FAILED`
 */
export async function createKeyFile(path: string): Promise<string> {
  const name = resolveKeyFile(path);
  const key = generateKey();
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

// Unlike `rename`, `link` fails if the name is taken; and the key is whole and on disk before it has its name.
async function publish(path: string, key: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.sealwire-${randomUUID()}.key`);
  await write(temporary, key);
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NOT_SUPPORTED.has(errnoOf(error))) throw error;
    await write(path, key); // exactly one wins here as well, but others may see the file before its bytes
  } finally {
    await unlink(temporary);
  }
}

async function write(path: string, key: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY); // O_CREAT and O_EXCL: never through a link that somebody laid
  try {
    // Restores the bits that the umask cleared. Some file systems refuse that, or report a mode of their own.
    const failure = await file.chmod(OWNER_ONLY).catch((error: unknown) => error);
    const { mode } = await file.stat();
    if ((mode & OTHERS) !== 0 && process.platform !== 'win32') throw new NoModesError(mode, { cause: failure });
    await file.writeFile(key);
    await file.sync();
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await file.close();
  }
}

class NoModesError extends Error {
  constructor(mode: number, options: ErrorOptions) {
    super(`mode ${formatMode(mode)} in place of ${formatMode(OWNER_ONLY)}`, options);
  }
}

/** Makes the new name survive a power cut, if the system can. Windows cannot open directories, and needs no such thing. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    if (!NOT_SUPPORTED.has(errnoOf(error))) throw error;
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
  if (cause instanceof NoModesError) {
    const why = `its file system gives it ${cause.message} (a Windows drive, vfat), so that others could read it`;
    return new CryptoError('ERR_KEY_FILE_CREATE', `No key file could be made at ${path}: ${why}. Choose another one`, {
      cause,
    });
  }
  const message = `No key file could be made at ${path} (${errno}): its directory must exist and let this user write`;
  return new CryptoError('ERR_KEY_FILE_CREATE', message, { cause });
}
