import type { SecretKey } from './secret-key.js';

/**
 * The source of the keys, which is called at every handshake. It may return another key each time, so that keys can be
 * rotated without a restart. A {@link Keyring} always returns the same keys, within their time windows.
 */
export interface KeySource {
  /** The key that starts handshakes. Not a promise. A source that only answers handshakes may throw. */
  readonly primary: SecretKey;
  /**
   * Returns the key with this id of 8 bytes, if it may be used now. Not a promise. Its {@link SecretKey.label} names
   * the holder, and its {@link SecretKey.patterns} are the messages that the holder may send. A server calls it twice
   * in a handshake, for message 1 and for CONFIRM, so that a key that was removed in between is refused.
   */
  find(idBytes: Uint8Array): SecretKey | undefined;
  /** The current keys, for logs, health checks and snapshots. */
  readonly status?: KeysStatus;
  /**
   * Calls `listener` after every change, including when the time window of a key begins or ends. A source without this
   * method never reports a change.
   *
   * @returns A function that removes the listener.
   */
  onChange?(listener: (change: KeysChange) => void): () => void;
}

/** A change of a {@link KeySource}. Keys are named by their ids; `find` and `primary` return the new state already. */
export interface KeysChange {
  /** The keys that may be used from now on. */
  readonly added: readonly string[];
  /** The keys that may no longer be used: removed, retired, revoked, or past their end. */
  readonly removed: readonly string[];
  /**
   * The keys that have become `revoked`. Their connections are destroyed immediately. An earlier change may already
   * have reported such a key in `removed`, for example because it was retired first.
   */
  readonly revoked: readonly string[];
  /** The keys that may still be used, but have another label or other patterns. */
  readonly updated: readonly string[];
  /** Whether the primary key is now a different one, or there is no longer one. */
  readonly primaryChanged: boolean;
  /** The key that starts handshakes now; undefined if there is none. */
  readonly primary: string | undefined;
}

/** The keys of a {@link KeySource}: public names only. */
export interface KeysStatus {
  /** The ids of the keys that may be used now, the primary one first. */
  readonly ids: readonly string[];
  /** The labels of those keys that have one, by id. */
  readonly labels: Readonly<Record<string, string>>;
  /** The id of the key that starts handshakes; undefined if there is none. */
  readonly primary: string | undefined;
  /** The time at which these keys were loaded, in milliseconds since 1970. */
  readonly loadedAt: number;
  /** The reason why newer keys were not loaded; undefined if the last attempt succeeded. */
  readonly error?: KeysFailure | undefined;
}

/** The reason why the keys could not be loaded. */
export interface KeysFailure {
  readonly code: string;
  /** The text of the failure, without key material. */
  readonly message: string;
  /** The time at which this failure first occurred, in milliseconds since 1970. */
  readonly since: number;
}
