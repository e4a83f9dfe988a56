// Changes a keyring file: one process at a time, and a reader sees the old content or the new one.
import type { Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { load } from '../key-file/load.js';
import type { ReadOptions } from '../key-file/load.js';
import { resolveKeyFile } from '../key-file/path.js';
import { KEY_BYTES } from '../keys/schedule.js';
import { SecretKey } from '../keys/secret-key.js';
import type { KeyringFileEntry } from '../ring-file/entry.js';
import { formatKeyringFile, parseKeyringFile } from '../ring-file/ring-file.js';
import { FileLock } from './file-lock.js';
import { replaceFile } from './replace.js';

/** The keys of a key file, with their bytes, which the caller overwrites. */
export interface KeyFileEntries {
  /** `raw`: one primary key without a label. */
  readonly form: 'raw' | 'ring';
  readonly entries: readonly KeyringFileEntry[];
  /** The status of the file that was checked and read. Another process may have replaced the file since. */
  readonly status: Stats;
}

/** Longer than the changes of many commands that were started together. */
const LOCK_WAIT_MS = 30_000;

/** @throws {CryptoError} `ERR_KEY_FILE_…`, `ERR_KEYRING_…`, or the `ERR_KEY_…` of a weak key. */
export function readEntries(path: string, options: ReadOptions = {}): KeyFileEntries {
  return load(path, options, (content, origin, status) => {
    if (content.length !== KEY_BYTES) return { form: 'ring', entries: parseKeyringFile(content, origin), status };
    const key = SecretKey.fromBytes(content, origin);
    return { form: 'raw', entries: [{ key, state: 'primary', bytes: content.slice() }], status };
  });
}

/**
 * Replaces the content of a keyring file with what `change` returns. Keeps owner and mode. A crash leaves the old content
 * or the new one. A link is refused, because it would be replaced instead of its target.
 *
 * @param change - Must not keep the entries, whose bytes are overwritten afterwards. If it throws, the file stays as it is.
 * @param waitMs - How long to wait for another process that changes the file.
 * @throws {CryptoError} `ERR_KEY_FILE_LOCKED`, `ERR_KEY_FILE_WRITE`; as {@link readEntries}; the error of `change`.
 */
export async function editKeyringFile(
  path: string,
  change: (entries: readonly KeyringFileEntry[]) => readonly KeyringFileEntry[],
  waitMs = LOCK_WAIT_MS,
): Promise<void> {
  const name = resolveKeyFile(path);
  wipeEntries(readRing(name).entries); // an error of the file is more useful than one of its lock
  const lock = await FileLock.acquire(join(dirname(name), `.${basename(name)}.lock`), name, waitMs);
  try {
    const { entries, status } = readRing(name);
    try {
      const content = formatKeyringFile(change(entries));
      await replaceFile(name, content, status).finally(() => wipe(content));
    } finally {
      wipeEntries(entries);
    }
  } finally {
    lock.release();
  }
}

/** Reads a file as {@link readEntries} does. This user must be allowed to change it, and it must be a keyring. */
export function readRing(path: string): KeyFileEntries {
  const keys = readEntries(path, { policy: 'edited' });
  if (keys.form === 'ring') return keys;
  wipeEntries(keys.entries);
  const message = `Key file ${path} has the ${KEY_BYTES} raw bytes of one key; expected a keyring: convert the file first`;
  throw new CryptoError(
    'ERR_KEY_FILE_LENGTH',
    `${message} (npx sealwire convert ${path} NEW_FILE, then rename NEW_FILE to ${path})`,
  );
}

function wipeEntries(entries: readonly KeyringFileEntry[]): void {
  for (const { bytes } of entries) wipe(bytes);
}
