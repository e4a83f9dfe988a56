// The policy mounted-secret follows links. A user who can create a link chooses the file that becomes the key, so only
// this user and root may be able to create each link. Each link, and all directories above it, must belong to them, and
// no other user may be able to write to those directories. A directory with the sticky bit, as in the secrets that
// Kubernetes mounts, may be writable for others: they cannot replace entries of another owner.
import { lstatSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, isAbsolute, join, parse, sep } from 'node:path';

import { CryptoError } from '../errors.js';
import { formatMode } from './policy.js';

const ROOT = 0;
const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;
const MAX_LINKS = 40; // as the kernel of Linux

/**
 * @param path - Absolute.
 * @param user - The effective user id of the process.
 * @returns The path without links.
 * @throws {CryptoError} `ERR_KEY_FILE_SYMLINK` - another user could have created one of the links, or the links form a
 *   loop.
 */
export function followLinks(path: string, user: number): string {
  let at = parse(path).root;
  let exposed: string | undefined;
  let links = 0;
  const left = path.split(sep);
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const next = join(at, name); // also handles '.', '..' and an empty name
    const entry = lstatSync(next);
    exposed ??= isReplaceable(lstatSync(dirname(next)), entry, user) ? dirname(next) : undefined;
    if (!entry.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (exposed !== undefined) throw replaceable(path, next, exposed);
    if (++links > MAX_LINKS)
      throw new CryptoError(
        'ERR_KEY_FILE_SYMLINK',
        `Key file ${path} is reached through more than ${MAX_LINKS} links: give the path of the file itself`,
      );
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = parse(target).root;
    left.unshift(...target.split(sep));
  }
  return at;
}

function isReplaceable(directory: Stats, entry: Stats, user: number): boolean {
  const isTrusted = ({ uid }: Stats): boolean => uid === user || uid === ROOT;
  if (!isTrusted(directory) || !isTrusted(entry)) return true;
  return (directory.mode & OTHERS_WRITE) !== 0 && (directory.mode & STICKY) === 0;
}

function replaceable(path: string, link: string, directory: string): CryptoError {
  const { mode, uid } = lstatSync(directory);
  return new CryptoError(
    'ERR_KEY_FILE_SYMLINK',
    `Key file ${path} is reached through the link ${link}, which other users could replace: the link belongs to user ` +
      `${lstatSync(link).uid}, and its directory ${directory} belongs to user ${uid} and has mode ${formatMode(mode)}. ` +
      `Let only this user and root write to the directory (chmod go-w ${directory}), or give the path of the file itself`,
  );
}
