// Creates a key file. Other processes never see a part of it, and of several processes exactly one creates it. On a
// file system without hard links, only the second promise holds.
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
/** Errors of `link` and `fsync` on exFAT, vfat, and many mounts of SMB and FUSE. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/**
 * Creates a key file with mode 0600. Never overwrites an existing file.
 *
 * @returns The id of the new key.
 * @throws {CryptoError} `ERR_KEY_FILE_NAME`, `ERR_KEY_FILE_EXISTS`, `ERR_KEY_FILE_CREATE`, `ERR_RANDOM_FAILED`
 */
export async function createKeyFile(path: string): Promise<string> {
  const name = resolveKeyFile(path);
  const key = generateKey();
  try {
    await createFile(name, key);
    return keyId(key);
  } finally {
    wipe(key);
  }
}

/**
 * Creates a file as {@link createKeyFile} does, with any content. The caller wipes the content afterwards.
 *
 * @param path - Absolute.
 */
export async function createFile(path: string, content: Uint8Array): Promise<void> {
  try {
    await publish(path, content);
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw createFailed(path, cause);
  }
}

// `link`, unlike `rename`, fails if the name exists. The content is complete and on disk before it gets its name.
async function publish(path: string, content: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.sealwire-${randomUUID()}.key`);
  await write(temporary, content);
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NOT_SUPPORTED.has(errnoOf(error))) throw error;
    await write(path, content); // still exactly one process succeeds, but others may see the file while it is empty
  } finally {
    await unlink(temporary);
  }
}

async function write(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY); // O_CREAT and O_EXCL: does not follow a link of an attacker
  try {
    // Restores the bits that the umask cleared. Some file systems refuse that, or report a mode of their own.
    const failure = await file.chmod(OWNER_ONLY).catch((error: unknown) => error);
    const { mode } = await file.stat();
    if ((mode & OTHERS) !== 0 && process.platform !== 'win32') throw new NoModesError(mode, { cause: failure });
    await file.writeFile(content);
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
    super(`mode ${formatMode(mode)} instead of ${formatMode(OWNER_ONLY)}`, options);
  }
}

/** Makes the new name survive a power cut, if the file system supports it. Windows cannot open directories. */
export async function syncDirectory(path: string): Promise<void> {
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
    return new CryptoError(
      'ERR_KEY_FILE_EXISTS',
      `Cannot create key file ${path}: it exists and is not overwritten. Choose another name`,
      {
        cause,
      },
    );
  }
  if (cause instanceof NoModesError) {
    const message =
      `Cannot create key file ${path}: its file system (for example a Windows drive or vfat) gives it ${cause.message}, ` +
      'so other users could read it. Choose another file system';
    return new CryptoError('ERR_KEY_FILE_CREATE', message, { cause });
  }
  const message = `Cannot create key file ${path} (${errno}): its directory must exist and be writable by this user`;
  return new CryptoError('ERR_KEY_FILE_CREATE', message, { cause });
}
