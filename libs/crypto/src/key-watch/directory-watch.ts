// Watches of directories, which all watchers of one directory share, because the system has few of them.
import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/** Of the process. A directory beyond them is not watched. */
const MAX_DIRECTORIES = 64;

interface Watched {
  readonly watcher: FSWatcher;
  readonly listeners: Set<() => void>;
}

/** By the identity of the directory. */
const directories = new Map<string, Watched>();

/** Reports that something in a directory has changed. It does not keep the process alive. */
export class DirectoryWatch {
  readonly #path: string;
  readonly #onChanged: () => void;
  #identity: string | undefined;

  /** @param changed - Also called for changes of other files. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#onChanged = () => changed();
    this.renew();
  }

  /** Whether changes are reported. If not, the directory is missing, or the system has no watch left. */
  get isOpen(): boolean {
    return this.#identity !== undefined && directories.get(this.#identity)?.listeners.has(this.#onChanged) === true;
  }

  /** Watches the directory that has the path now. Another one may have been put in its place. */
  renew(): void {
    const identity = identityOf(this.#path);
    if (this.isOpen && identity === this.#identity) return;
    this.close();
    if (identity === undefined) return;
    directoryOf(identity, this.#path)?.listeners.add(this.#onChanged);
    this.#identity = identity;
  }

  close(): void {
    const identity = this.#identity;
    this.#identity = undefined;
    const watched = identity === undefined ? undefined : directories.get(identity);
    if (identity === undefined || watched?.listeners.delete(this.#onChanged) !== true) return;
    if (watched.listeners.size === 0) stop(identity, watched);
  }
}

/** Includes the time of creation, because a new directory may get the inode of a removed one. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
    return [dev, ino, birthtimeNs].join(':');
  } catch {
    return undefined;
  }
}

function directoryOf(identity: string, path: string): Watched | undefined {
  const known = directories.get(identity);
  if (known !== undefined || directories.size >= MAX_DIRECTORIES) return known;
  try {
    const watcher = watch(path, { persistent: false });
    const watched = { watcher, listeners: new Set<() => void>() };
    watcher.on('change', () => {
      for (const listener of watched.listeners) listener();
    });
    watcher.on('error', () => stop(identity, watched));
    directories.set(identity, watched);
    return watched;
  } catch {
    return undefined; // ENOSPC or EMFILE: the system has no watch left
  }
}

function stop(identity: string, watched: Watched): void {
  watched.listeners.clear();
  watched.watcher.close();
  if (directories.get(identity) === watched) directories.delete(identity);
}
