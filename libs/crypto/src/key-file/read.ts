// Reads the key file (docs/protocol.md §2): opens it once, then checks and reads it through the open descriptor. The
// calls are synchronous, because four short calls on other threads would cost a client more than all hashes of the
// handshake.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { KEY_BYTES } from '../keys/schedule.js';
import { isKeyringFile, otherEncodingOf } from '../ring-file/ring-file.js';
import { followLinks } from './links.js';
import { checkKeyFile, notRegular, wrongLength } from './policy.js';
import type { FilePolicy } from './policy.js';
import { errnoOf } from './system-error.js';

export interface ReadKeyFile {
  /** In memory of its own: 32 raw bytes of a key, or a keyring. The caller overwrites it. */
  readonly content: Uint8Array;
  /** Undefined on Windows, which has no owners and modes. */
  readonly mode: number | undefined;
  /** Of the descriptor that was checked and read. */
  readonly status: Stats;
}

// O_NOFOLLOW: a link could be created between the check and the opening. O_NONBLOCK: a FIFO may never get a writer.
// Both are undefined on Windows and count as 0.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Reads a key of 32 bytes, or else the text of a keyring, which the legacy wire does not have. Checks neither the strength
 * of the key nor the keyring.
 *
 * @throws {CryptoError} `ERR_KEY_FILE_…`
 */
export function readKeyFile(path: string, policy: FilePolicy): ReadKeyFile {
  const user = process.geteuid?.();
  try {
    const target = policy === 'mounted-secret' && user !== undefined ? followLinks(path, user) : path;
    const file = openSync(target, OPEN_FLAGS);
    try {
      const status = fstatSync(file);
      checkKeyFile(path, status, policy, user);
      const content = readContent(file, status.size);
      checkForm(content, path, policy);
      return { content, mode: user === undefined ? undefined : status.mode, status };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof CryptoError ? error : readFailed(path, policy, error);
  }
}

function readContent(file: number, size: number): Uint8Array {
  const content = new Uint8Array(size); // not from the pool, whose other slices share its memory
  let filled = 0;
  while (filled < size) {
    const bytesRead = readSync(file, content, filled, size - filled, filled); // may be fewer than requested
    if (bytesRead === 0) return content.subarray(0, filled); // truncated after fstat
    filled += bytesRead;
  }
  return content;
}

function checkForm(content: Uint8Array, path: string, policy: FilePolicy): void {
  if (content.length === KEY_BYTES) return;
  const otherEncoding = policy === 'legacy' ? undefined : otherEncodingOf(content);
  if (policy !== 'legacy' && otherEncoding === undefined && isKeyringFile(content)) return;
  wipe(content);
  throw otherEncoding === undefined ? wrongLength(path, content.length) : wrongEncoding(path, otherEncoding);
}

function wrongEncoding(path: string, encoding: string): CryptoError {
  const message = `Key file ${path} is a keyring in ${encoding}; expected UTF-8 without a byte order mark`;
  return new CryptoError(
    'ERR_KEYRING_JSON',
    `${message}. An editor or a shell has probably changed the encoding: save the file as UTF-8`,
  );
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
  `copy it from the other side, or create one (npx sealwire keygen ${path} with @sealwire/transport, or createKeyFile() of @sealwire/crypto)`;

const MISSING_REMEDY: Record<FilePolicy, (path: string) => string> = {
  strict: copyOrMake,
  'mounted-secret': copyOrMake,
  edited: (path) => `copy it from the other side, or create one (npx sealwire keygen ${path} --ring)`,
  legacy: () => 'copy the one that the original program uses',
};

const LINK_REMEDY: Record<FilePolicy, string> = {
  strict: 'give the path of the file itself, or choose the policy mounted-secret',
  'mounted-secret': 'the link replaced the file while the file was being opened. Try again',
  edited: 'give the path of the file itself, because the link would be replaced and not the file',
  legacy: 'give the path of the file itself',
};
