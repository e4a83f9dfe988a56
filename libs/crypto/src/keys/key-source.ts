import type { SecretKey } from './secret-key.js';

/**
 * The source of the keys, which is called at every handshake. It may return another key each time, so that keys can be
 * rotated without a restart. A {@link Keyring} always returns the same keys.
 */
export interface KeySource {
  /** The key that starts handshakes. Not a promise. */
  readonly primary: SecretKey;
  /** Returns the key with this id of 8 bytes, if it may be used. Not a promise. */
  find(idBytes: Uint8Array): SecretKey | undefined;
}
