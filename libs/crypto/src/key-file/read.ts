// Reads the key file (docs/protocol.md §2): opens it once, then checks and reads it through the open descriptor. The
// calls are synchronous, because four short calls on other threads would cost a client more than all hashes of the
// handshake.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { KEY_BYTES } from '../keys/schedule.js';
import { followLinks } from './links.js';
import { checkKeyFile, notRegular, wrongLength } from './policy.js';
import type { FilePolicy } from './policy.js';
import { errnoOf } from './system-error.js';

export interface ReadKeyFile {
  /** The 32 bytes, in memory of their own. */
  readonly key: Uint8Array;
  /** Undefined on Windows, which has no owners and modes. */
  readonly mode: number | undefined;
}

// O_NOFOLLOW: a link could be created between the check and the opening. O_NONBLOCK: a FIFO may never get a writer.
// Both are undefined on Windows and count as 0.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Does not check the strength of the key. @throws {CryptoError} `ERR_KEY_FILE_…` */
export function readKeyFile(path: string, policy: FilePolicy): ReadKeyFile {
  const user = process.geteuid?.();
  try {
    const target = policy === 'mounted-secret' && user !== undefined ? followLinks(path, user) : path;
    const file = openSync(target, OPEN_FLAGS);
    try {
      const status = fstatSync(file);
      checkKeyFile(path, status, policy, user);
      return { key: readKey(file, path), mode: user === undefined ? undefined : status.mode };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof CryptoError ? error : readFailed(path, policy, error);
  }
}

function readKey(file: number, path: string): Uint8Array {
  const key = new Uint8Array(KEY_BYTES); // not from the pool, whose other slices share its memory
  let filled = 0;
  while (filled < KEY_BYTES) {
    const bytesRead = readSync(file, key, filled, KEY_BYTES - filled, filled); // may be fewer than requested
    if (bytesRead === 0) {
      wipe(key);
      throw wrongLength(path, filled); // truncated after fstat
    }
    filled += bytesRead;
  }
  return key;
}

function readFailed(path: string, policy: FilePolicy, cause: unknown): CryptoError {
  const errno = errnoOf(cause);
  switch (errno) {
    case 'ENOENT':
      return new CryptoError('ERR_KEY_FILE_MISSING', `No key file at ${path}: ${MISSING_REMEDY[policy](path)}`, {
        cause,
      });
    case 'ELOOP': {
      const message = `Key file ${path} is a symbolic link: ${LINK_REMEDY[policy]}`;
      return new CryptoError('ERR_KEY_FILE_SYMLINK', message, { cause });
    }
    case 'EISDIR': // a directory, on Windows
    case 'ENXIO': // a socket, on Linux
    case 'EOPNOTSUPP': // a socket, on macOS
      return notRegular(path, { cause });
    default: {
      const message = `Cannot read key file ${path} (${errno}): check its owner, its mode and its directory`;
      return new CryptoError('ERR_KEY_FILE_UNREADABLE', message, { cause });
    }
  }
}

const copyOrMake = (path: string): string =>
  `copy it from the other side, or create one with createKeyFile('${path}') of @sealwire/crypto`;

const MISSING_REMEDY: Record<FilePolicy, (path: string) => string> = {
  strict: copyOrMake,
  'mounted-secret': copyOrMake,
  legacy: () => 'copy the one that the original program uses',
};

const LINK_REMEDY: Record<FilePolicy, string> = {
  strict: 'give the path of the file itself, or choose the policy mounted-secret',
  'mounted-secret': 'it replaced the file while the file was being opened. Try again',
  legacy: 'give the path of the file itself',
};
