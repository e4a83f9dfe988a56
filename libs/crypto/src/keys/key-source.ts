import type { SecretKey } from './secret-key.js';

/**
 * The source of the keys, asked at every handshake: a source that returns another key rotates it without a restart. A
 * {@link Keyring} always returns the same keys.
 */
export interface KeySource {
  /** The key that starts handshakes. Not a promise. */
  readonly primary: SecretKey;
  /** Returns the key with this id of 8 bytes, if it may be used. Not a promise. */
  find(idBytes: Uint8Array): SecretKey | undefined;
}
