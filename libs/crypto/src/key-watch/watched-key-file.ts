import { dirname } from 'node:path';
import { inspect } from 'node:util';

import { brand } from '../brand.js';
import { guarded } from '../callback.js';
import { hmacSha256 } from '../cipher/hmac.js';
import { clock } from '../clock.js';
import { publishKeysRead } from '../diagnostics.js';
import { errnoOf } from '../key-file/system-error.js';
import { load, loadKeyring, toKeyring } from '../key-file/load.js';
import type { KeyringOptions } from '../key-file/load.js';
import { resolveKeyFile } from '../key-file/path.js';
import { generateKey } from '../keys/generate.js';
import type { KeysChange, KeysFailure, KeySource, KeysStatus } from '../keys/key-source.js';
import { KeyringView } from '../keys/keyring-change.js';
import type { Keyring } from '../keys/keyring.js';
import { formatTimestamp } from '../keys/timestamp.js';
import { nextBoundary } from '../keys/ring-key.js';
import { toHex } from '../keys/schedule.js';
import type { SecretKey } from '../keys/secret-key.js';
import { DirectoryWatch } from './directory-watch.js';
import { checkPoll, ReloadTimers } from './reload-timers.js';

/** The options for checking and watching a key file, and for reporting its changes. */
export interface WatchedKeyFileOptions extends KeyringOptions {
  /**
   * Called with a log line after each load, including the first, if at least one of the keys may be used now, and when a
   * file that could not be loaded is valid again. `warn` gets the reason for a failed reload.
   */
  readonly log?: ((message: string) => void) | undefined;
  /**
   * The interval at which the file is read even if no change was reported, in whole ms, at least 1. Default: 30,000.
   */
  readonly pollMs?: number | undefined;
}

/** The reason why a version of the file was not loaded. */
interface Failed extends KeysFailure {
  /** Undefined if the file cannot be read. */
  readonly digest: string | undefined;
}

/**
 * The keys of a key file, which is read again after each change. If the new content is wrong, all old keys stay in force,
 * {@link status} has the reason, and `warn` is called once for that version. The watcher does not keep the process alive.
 * It installs no signal handler: call {@link reload} in one of your own.
 */
export class WatchedKeyFile implements KeySource {
  static {
    brand(this, 'crypto/WatchedKeyFile');
  }

  readonly #path: string;
  readonly #options: WatchedKeyFileOptions;
  readonly #log: (message: string) => void;
  readonly #warn: (message: string) => void;
  readonly #watch: DirectoryWatch;
  readonly #timers: ReloadTimers;
  readonly #listeners = new Set<(change: KeysChange) => void>();
  /** Distinguishes contents without keeping them. */
  readonly #digestKey = generateKey();
  #ring: Keyring;
  #view: KeyringView;
  /** Of the content that is in force. */
  #digest = '';
  #failed: Failed | undefined;
  /** The ring of which a warning says that no key may be used. */
  #unusable: Keyring | undefined;
  #isClosed = false;

  private constructor(path: string, options: WatchedKeyFileOptions, ring: Keyring) {
    this.#path = path;
    this.#options = options;
    this.#log = guarded('The callback log()', options.log);
    this.#warn = guarded('The callback warn()', options.warn);
    this.#ring = ring;
    this.#view = new KeyringView(ring.keys, clock.unixMs());
    this.#timers = new ReloadTimers(() => this.reload(), options.pollMs);
    this.#watch = new DirectoryWatch(dirname(path), () => this.#timers.reloadSoon());
    this.reload(); // the file may have changed before it was watched
    this.#timers.poll();
  }

  /**
   * Loads the key file, and watches it until {@link close}.
   *
   * @throws {CryptoError} An error of {@link loadKeyring}, because there are no older keys to fall back to, or
   *   `ERR_KEY_FILE_POLL`.
   */
  static async open(path: string, options: WatchedKeyFileOptions = {}): Promise<WatchedKeyFile> {
    checkPoll(options.pollMs);
    return new WatchedKeyFile(resolveKeyFile(path), options, await loadKeyring(path, options));
  }

  /** The key that starts handshakes. @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY` */
  get primary(): SecretKey {
    return this.#ring.primary;
  }

  /** The keys in force. */
  get keyring(): Keyring {
    return this.#ring;
  }

  /** The ids of the keys that may be used now, the primary one first. */
  get ids(): readonly string[] {
    return this.#ring.ids;
  }

  get status(): KeysStatus {
    const failed = this.#failed;
    const error = failed && { code: failed.code, message: failed.message, since: failed.since };
    return { ...this.#ring.status, error };
  }

  find(idBytes: Uint8Array): SecretKey | undefined {
    return this.#ring.find(idBytes);
  }

  onChange(listener: (change: KeysChange) => void): () => void {
    const entry = guarded('A listener of key changes', listener);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Reads the file now. Its keys are in force afterwards, unless the file is wrong. Never throws. */
  reload(): void {
    if (this.#isClosed) return;
    this.#watch.renew();
    const digest = this.#digest;
    try {
      load(this.#path, { policy: this.#options.policy }, (content, origin) => this.#take(content, origin));
    } catch (error) {
      this.#fail(error, undefined);
    }
    const outcome = digest === this.#digest ? 'unchanged' : 'loaded';
    publishKeysRead(this.#path, this.#failed === undefined ? outcome : 'failed', this);
    this.#announce();
  }

  /** Ends the watch. The keys stay usable, and no longer change. May be called again. */
  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#listeners.clear();
    this.#timers.close();
  }

  #take(content: Uint8Array, origin: string): void {
    const digest = toHex(hmacSha256(this.#digestKey, content));
    if (digest === this.#digest) return this.#isBack();
    if (digest === this.#failed?.digest) return;
    try {
      const known = new Map(this.#ring.keys.map(({ key }) => [key.id, key]));
      this.#ring = toKeyring(content, origin, known);
      this.#digest = digest;
      this.#failed = undefined;
    } catch (error) {
      return this.#fail(error, digest);
    }
    const { ids, primary = 'none' } = this.#ring.status;
    if (ids.length === 0) return; // then a warning follows
    this.#log(`Loaded keyring ${this.#path}: ${countKeys(ids.length, this.#ring.keys.length)}, primary ${primary}`);
  }

  #isBack(): void {
    if (this.#failed === undefined) return;
    this.#failed = undefined;
    this.#log(`Key file ${this.#path} is valid again and contains the keys that are in force`);
  }

  #fail(error: unknown, digest: string | undefined): void {
    const message = error instanceof Error ? error.message : 'unknown reason';
    if (digest === undefined && this.#failed?.digest === undefined && message === this.#failed?.message) return;
    this.#failed = { code: errnoOf(error), message, since: clock.unixMs(), digest };
    const loadedAt = formatTimestamp(this.#ring.status.loadedAt);
    this.#warn(`Cannot reload the keys, so the keys loaded at ${loadedAt} stay in force: ${message}`);
  }

  /** Compares the usable keys with those of the last time, which the clock may have changed as well. */
  #announce(): void {
    const nowMs = clock.unixMs();
    const view = new KeyringView(this.#ring.keys, nowMs);
    const change = view.changeSince(this.#view);
    this.#view = view;
    this.#timers.announceAt(nextBoundary(this.#ring.keys, nowMs), nowMs, () => this.#announce());
    this.#warnIfUnusable();
    if (change === undefined) return;
    for (const listener of this.#listeners) listener(change);
  }

  /** Warns that no key may be used. Warns once, until a key may be used again or the keys change. */
  #warnIfUnusable(): void {
    const before = this.#unusable;
    this.#unusable = this.ids.length === 0 ? this.#ring : undefined;
    if (this.#unusable === undefined || this.#unusable === before) return;
    const remedy =
      'install a key, or correct the states and time windows of the keys in the file (npx sealwire keyring list)';
    this.#warn(`No key of the key file ${this.#path} may be used now, so no connection can begin: ${remedy}`);
  }

  toString(): string {
    return `WatchedKeyFile(${this.ids.join(', ')})`;
  }

  /** Returns the same public text as `toString()`, so that JSON contains no key. */
  toJSON(): string {
    return this.toString();
  }

  /** Returns the same public text as `toString()`, so that `util.inspect` shows no key. */
  [inspect.custom](): string {
    return this.toString();
  }
}

/** Returns `2 keys`, or `1 usable key of 2` if the others are retired, revoked, not yet valid or expired. */
function countKeys(usable: number, all: number): string {
  const noun = usable === 1 ? 'key' : 'keys';
  return usable === all ? `${usable} ${noun}` : `${usable} usable ${noun} of ${all}`;
}
