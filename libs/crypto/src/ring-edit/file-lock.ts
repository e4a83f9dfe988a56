// A lock file, which says who has it. A lock whose process has ended is broken; a lock of another host never is.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import { clock } from '../clock.js';
import { CryptoError } from '../errors.js';
import { errnoOf } from '../key-file/system-error.js';
import { writeFailed } from './replace.js';

const PAUSE_MS = 20;
const MAX_LOCK_BYTES = 1_024;
// Both of the last are undefined on Windows and count as 0.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** A lock, the lock of those who break it, and the lock of those who break that one. */
const MAX_DEPTH = 3;
/** The place of the start time in /proc/PID/stat, after the name of the program. */
const START_FIELD = 19;

/** Held by this process until {@link release}. */
export class FileLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * Waits until no other process has the lock.
   *
   * @param path - Of the lock, in a directory that this user can write to. @param file - The name of the locked file in errors.
   * @throws {CryptoError} `ERR_KEY_FILE_LOCKED` - another process had it all the time. `ERR_KEY_FILE_WRITE`
   */
  static async acquire(path: string, file: string, waitMs: number): Promise<FileLock> {
    try {
      return await FileLock.#acquire(path, file, clock.nowMs() + waitMs, 1);
    } catch (error) {
      throw error instanceof CryptoError ? error : writeFailed(file, error);
    }
  }

  static async #acquire(path: string, file: string, endMs: number, depth: number): Promise<FileLock> {
    const lock = new FileLock(path, describeProcess());
    while (!lock.#create()) {
      const text = readText(path);
      if (text !== undefined && isStale(text) && depth < MAX_DEPTH) {
        // Only one process at a time may remove the lock: another one could have made a new lock under its name.
        const breaking = await FileLock.#acquire(`${path}.break`, file, endMs, depth + 1);
        if (readText(path) === text) unlinkSync(path);
        breaking.release();
        continue;
      }
      if (clock.nowMs() >= endMs) throw locked(path, file, text ?? '');
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, PAUSE_MS));
    }
    return lock;
  }

  release(): void {
    if (readText(this.#path) === this.#text) unlinkSync(this.#path);
  }

  /** Creates the lock with its content in one step, because a lock without content could never be broken. */
  #create(): boolean {
    const temporary = join(dirname(this.#path), `.sealwire-${randomUUID()}.lock`);
    try {
      writeFileSync(temporary, this.#text, { flag: 'wx', mode: 0o644 });
      linkSync(temporary, this.#path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      if (!NO_LINKS.has(errnoOf(error))) throw error;
      return this.#createWithoutLink();
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #createWithoutLink(): boolean {
    try {
      writeFileSync(this.#path, this.#text, { flag: 'wx', mode: 0o644 });
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }
}

/** Errors of `link` on exFAT, vfat, and many mounts of SMB and FUSE. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Describes this process, with one line for each fact: the id of the process, its start, the host with its process ids,
 * and a random name.
 */
function describeProcess(): string {
  return [process.pid, startOf(process.pid) ?? '', placeOf(), randomUUID(), ''].join('\n');
}

/**
 * Returns the name of the host and the namespace of the process ids, because containers may have the name of the host,
 * and other process ids.
 */
function placeOf(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** Returns when a process started; undefined if the system does not say so. Another process may get its id later. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[START_FIELD];
  } catch {
    return undefined;
  }
}

function isStale(text: string): boolean {
  const [digits = '', start = '', place = ''] = text.split('\n');
  const pid = Number(digits);
  if (place !== placeOf() || !Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: another user's process has the id now, perhaps instead of the one that had the lock.
    if (errnoOf(error) !== 'EPERM') return errnoOf(error) === 'ESRCH';
  }
  const now = startOf(pid);
  return start !== '' && now !== undefined && now !== start;
}

/** Returns the text of a lock; undefined if there is none. Neither follows a link nor waits for the writer of a FIFO. */
function readText(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, OPEN_FLAGS);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw notALock(path, errnoOf(error));
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile() || status.size > MAX_LOCK_BYTES)
      throw notALock(path, `not a regular file of at most ${MAX_LOCK_BYTES} bytes`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function notALock(path: string, reason: string): CryptoError {
  const message = `Cannot read the lock ${path} (${reason}): if no other command is running, delete the lock`;
  return new CryptoError('ERR_KEY_FILE_LOCKED', message);
}

function locked(path: string, file: string, text: string): CryptoError {
  const [pid = '', , place = ''] = text.split('\n');
  const holder = /^\d{1,10}$/.test(pid) ? `process ${pid} on ${place.split(' ')[0]}` : 'another process';
  const message = `Key file ${file} is being changed by ${holder}: try again`;
  return new CryptoError('ERR_KEY_FILE_LOCKED', `${message}. If that process has ended, delete ${path}`);
}
