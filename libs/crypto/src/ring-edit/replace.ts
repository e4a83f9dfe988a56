// Replaces a file by renaming a complete new one, so that a reader, or a crash, never finds a part of it.
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { CryptoError } from '../errors.js';
import { syncDirectory } from '../key-file/create.js';
import { formatMode } from '../key-file/policy.js';
import { errnoOf } from '../key-file/system-error.js';

const OWNER_ONLY = 0o600;
const MODE_BITS = 0o777;

/**
 * Replaces the content of a file. Keeps owner and mode, or fails. The caller has its lock: the name of the new file is always
 * the same, so that one which a crash has left is removed.
 *
 * @param path - Absolute.
 * @param old - The status of the file when it was checked and read. The new file gets its owner and mode, which are not
 *   read again, because an attacker who can write to the directory could have replaced the file since.
 * @throws {CryptoError} `ERR_KEY_FILE_WRITE` - the file is the old one, unless the message says that it is the new one.
 */
export async function replaceFile(path: string, content: Uint8Array, old: Stats): Promise<void> {
  const temporary = join(dirname(path), temporaryName(path));
  try {
    removeFile(temporary);
    try {
      writeLike(old, temporary, content);
      checkSame(path, old);
      renameSync(temporary, path);
    } catch (cause) {
      removeFile(temporary);
      throw cause;
    }
  } catch (cause) {
    throw cause instanceof CryptoError ? cause : writeFailed(path, cause);
  }
  await syncDirectory(dirname(path)).catch((cause: unknown) => {
    const message =
      `Key file ${path} was changed, but not flushed to the disk (${errnoOf(cause)}), ` +
      'so a power failure may undo the change';
    throw new CryptoError('ERR_KEY_FILE_WRITE', `${message}: check the disk`, { cause });
  });
}

function temporaryName(path: string): string {
  return `.${basename(path)}.new`;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function checkSame(path: string, old: Stats): void {
  const { dev, ino } = lstatSync(path);
  if (dev === old.dev && ino === old.ino) return;
  const message = `Another program replaced key file ${path} in the meantime, so this command did not change it`;
  throw new CryptoError('ERR_KEY_FILE_WRITE', `${message}: check who can write to its directory, then try again`);
}

function writeLike(old: Stats, path: string, content: Uint8Array): void {
  const file = openSync(path, 'wx', OWNER_ONLY); // O_CREAT and O_EXCL: does not follow a link of an attacker
  try {
    const { uid, gid } = fstatSync(file);
    if (uid !== old.uid || gid !== old.gid) fchownSync(file, old.uid, old.gid);
    fchmodSync(file, old.mode & MODE_BITS);
    const { mode } = fstatSync(file);
    if ((mode & MODE_BITS) !== (old.mode & MODE_BITS))
      throw new Error(`The new file got mode ${formatMode(mode)} instead of ${formatMode(old.mode)}`);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function writeFailed(path: string, cause: unknown): CryptoError {
  const errno = errnoOf(cause);
  const known = errno === 'EISDIR' ? nameTaken(path) : REMEDY_OF[errno];
  const remedy = known ?? 'check the file, its directory and its disk';
  return new CryptoError('ERR_KEY_FILE_WRITE', `Cannot change key file ${path} (${errno}): ${remedy}`, { cause });
}

function nameTaken(path: string): string {
  return `a directory next to it has the name of the temporary file, ${temporaryName(path)}: delete the directory`;
}

const DIRECTORY = 'its directory must be writable by this user, because the file is replaced by a new one';
const OWNER = 'the new file would get another owner or group. Run the command as the owner of the file or as root';

const REMEDY_OF: Readonly<Record<string, string>> = {
  EACCES: DIRECTORY,
  EROFS: 'its file system is read-only. If the file is a mounted copy, change the original',
  EPERM: OWNER,
  EBUSY:
    'it is mounted as a single file, so it cannot be replaced. Change the file on the host, and mount its directory instead',
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENAMETOOLONG:
    'its name is too long, because the names of its lock and of its temporary file are longer: choose a shorter name',
};
