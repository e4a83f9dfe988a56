// Reading the key file (docs/protocol.md §2): opened once, judged and read through the open descriptor.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';

import { CryptoError } from './errors.js';
import { judgeKeyFile, notRegular, wrongLength } from './key-file-policy.js';
import type { KeyFilePolicy } from './key-file-policy.js';
import { KEY_BYTES } from './key-schedule.js';
import { checkKeyStrength } from './key-strength.js';
import { errnoOf } from './system-error.js';

export interface KeyFileOptions {
  /** How closed the file has to be. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
  /** Told for the log, once per load, of what the policy or the platform leaves unchecked. */
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * Reads the 32 bytes of a key file. Anything that is not certainly a strong key in the right hands is refused.
 *
 * @returns The raw key, in memory of its own. {@link loadKeyring} makes of it what the channel needs.
 * @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message says what to do.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Uint8Array> {
  const { policy = 'strict', warn } = options;
  const name = resolve(path);
  const user = process.geteuid?.(); // undefined on Windows, which has neither owners nor modes
  const key = await readKeyFile(name, policy, user);
  checkKeyStrength(key, `Key file ${name}`);
  if (user === undefined) {
    warn?.(`Key file ${name}: only length and strength were checked, this platform has no owners and modes`);
  } else if (policy === 'mounted-secret') {
    warn?.(`Key file ${name}: under the policy mounted-secret links are followed, and others may read the file`);
  }
  return key;
}

async function readKeyFile(path: string, policy: KeyFilePolicy, user: number | undefined): Promise<Uint8Array> {
  try {
    const file = await open(path, openFlags(policy));
    try {
      judgeKeyFile(path, await file.stat(), policy, user);
      return await readKey(file, path);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof CryptoError ? error : readFailed(path, policy, error);
  }
}

// Not to follow: a link could be laid between looking and opening. Not to block: a FIFO may never get a writer.
function openFlags(policy: KeyFilePolicy): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants; // the last two are undefined on Windows, and count as 0 below
  return O_RDONLY | O_NONBLOCK | (policy === 'mounted-secret' ? 0 : O_NOFOLLOW);
}

async function readKey(file: FileHandle, path: string): Promise<Uint8Array> {
  const key = new Uint8Array(KEY_BYTES); // not from the pool, whose other slices would share its memory
  const { bytesRead } = await file.read(key, 0, KEY_BYTES, 0);
  if (bytesRead !== KEY_BYTES) throw wrongLength(path, bytesRead); // cut since fstat
  return key;
}

function readFailed(path: string, policy: KeyFilePolicy, cause: unknown): CryptoError {
  const errno = errnoOf(cause);
  switch (errno) {
    case 'ENOENT':
      return new CryptoError(
        'ERR_KEY_FILE_MISSING',
        `No key file at ${path}: copy it from the other side, or make one with "npm run keys -- keygen ${path}"`,
        { cause },
      );
    case 'ELOOP': {
      const remedy =
        policy === 'strict' ? 'name the file itself, or choose the policy mounted-secret' : 'it never ends';
      return new CryptoError('ERR_KEY_FILE_SYMLINK', `Key file ${path} is a symbolic link: ${remedy}`, { cause });
    }
    case 'EISDIR': // a directory, on Windows
    case 'ENXIO': // a socket, on Linux
    case 'EOPNOTSUPP': // a socket, on macOS
      return notRegular(path, { cause });
    default: {
      const message = `Key file ${path} cannot be read (${errno}): check its owner, its mode and its directory`;
      return new CryptoError('ERR_KEY_FILE_UNREADABLE', message, { cause });
    }
  }
}
