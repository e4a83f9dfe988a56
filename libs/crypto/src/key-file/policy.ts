// Checks which users can have read or written a key file. The status comes from an open descriptor, so that no other
// process can replace the file between the check and the read.
import type { Stats } from 'node:fs';

import { CryptoError } from '../errors.js';
import { KEY_BYTES } from '../keys/schedule.js';
import { MAX_KEYRING_BYTES } from '../ring-file/ring-file.js';

/**
 * The owners and modes that a key file may have.
 *
 * - `strict`: a file, not a link to one, that only its owner can read. The owner is this user or root; a file owned by
 *   root may be readable by its group (0640).
 * - `mounted-secret`: for secrets that Docker, Compose or Kubernetes mounts. Links are followed unless other users
 *   could have created them. Other users may read the file, but not write to it.
 */
export type KeyFilePolicy = 'strict' | 'mounted-secret';

/**
 * - `edited`: as `strict`, for a keyring that a command changes. Its errors do not recommend another policy.
 * - `legacy`: the file of the original demo, which may have any mode. Never for a key of the channel.
 */
export type FilePolicy = KeyFilePolicy | 'edited' | 'legacy';

export type KeyFileStatus = Pick<Stats, 'isFile' | 'mode' | 'size' | 'uid'>;

const ROOT = 0;

/**
 * Checks the owner, the mode and the size.
 *
 * @param user - The effective user id of the process; undefined if files have neither owner nor mode (Windows).
 * @throws {CryptoError} `ERR_KEY_FILE_NOT_REGULAR`, `ERR_KEY_FILE_OWNER`, `ERR_KEY_FILE_MODE`, `ERR_KEY_FILE_LENGTH`
 */
export function checkKeyFile(path: string, file: KeyFileStatus, policy: FilePolicy, user: number | undefined): void {
  if (!file.isFile()) throw notRegular(path);
  if (user !== undefined) {
    checkOwner(path, file, user);
    checkMode(path, file, policy);
  }
  const most = policy === 'legacy' ? KEY_BYTES : MAX_KEYRING_BYTES;
  if (file.size < KEY_BYTES || file.size > most) throw wrongLength(path, file.size);
}

export function notRegular(path: string, options?: ErrorOptions): CryptoError {
  const message = `Key file ${path} is not a regular file: give the path of the file with the key`;
  return new CryptoError('ERR_KEY_FILE_NOT_REGULAR', message, options);
}

export function wrongLength(path: string, bytes: number): CryptoError {
  const remedy = REMEDIES[bytes] ?? 'A key file holds raw bytes, not hex or base64 text: create or copy the key again';
  return new CryptoError(
    'ERR_KEY_FILE_LENGTH',
    `Key file ${path} has ${bytes} bytes; expected ${KEY_BYTES} bytes, or a JSON keyring of at most ${MAX_KEYRING_BYTES} bytes. ${remedy}`,
  );
}

/** By the length of the file. */
const REMEDIES: Readonly<Record<number, string>> = {
  0: 'Remove the empty file, then create or copy the key again',
  16: 'It may contain a bare AES-128 key, which is half as long as a key file: create a new key file',
  33: 'An editor may have added a line end after the key: copy the file again',
  34: 'An editor may have added a line end after the key: copy the file again',
  35: 'An editor may have added a byte order mark before the key: copy the file again',
  44: 'It may contain a key in base64, but a key file holds raw bytes: decode it (base64 -d)',
  45: 'It may contain a key in base64, but a key file holds raw bytes: decode it (base64 -d)',
  64: 'It may contain a key in hex, but a key file holds raw bytes: decode it (xxd -r -p)',
  65: 'It may contain a key in hex, but a key file holds raw bytes: decode it (xxd -r -p)',
};

function checkOwner(path: string, file: KeyFileStatus, user: number): void {
  if (file.uid === user || file.uid === ROOT) return;
  throw new CryptoError(
    'ERR_KEY_FILE_OWNER',
    `Key file ${path} belongs to user ${file.uid}; expected ${user === ROOT ? 'root' : `this user (${user}) or root`}: ` +
      `run the program as user ${file.uid}, or let root change the owner (chown ${user} ${path})`,
  );
}

function checkMode(path: string, file: KeyFileStatus, policy: FilePolicy): void {
  if ((file.mode & forbiddenBits(file, policy)) === 0) return;
  const message = `Key file ${path} has mode ${formatMode(file.mode)}, so other users can use it`;
  throw new CryptoError('ERR_KEY_FILE_MODE', `${message}: ${modeRemedy(path, file, policy)}`);
}

function modeRemedy(path: string, file: KeyFileStatus, policy: FilePolicy): string {
  if ((file.mode & forbiddenBits(file, 'mounted-secret')) !== 0) {
    const change = `run chmod ${policy === 'mounted-secret' ? 'go-wx' : '600'} ${path}`;
    return (
      `${change}. If that has no effect, the file system does not support file modes, for example a Windows drive or vfat: ` +
      'move the key file to one that does'
    );
  }
  if (policy === 'edited') return `run chmod 600 ${path}`;
  return (
    `run chmod 600 ${path}, or choose the policy mounted-secret if Docker, Compose or Kubernetes mounted it ` +
    '(SEALWIRE_KEY_POLICY=mounted-secret for the apps)'
  );
}

/** Returns the mode in the form of `chmod`, such as 0644. */
export function formatMode(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

function forbiddenBits(file: KeyFileStatus, policy: FilePolicy): number {
  if (policy === 'legacy') return 0;
  if (policy === 'mounted-secret') return 0o033;
  return file.uid === ROOT ? 0o037 : 0o077;
}
