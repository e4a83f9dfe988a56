import type { SecretKey } from './secret-key.js';

/**
 * Where the two ends get their keys, at every handshake: one whose answers change rotates the key without a restart. A
 * {@link Keyring} is one whose answers never change.
 */
export interface KeySource {
  /** The key that starts handshakes. Not a promise. */
  readonly primary: SecretKey;
  /** Returns the key with this id of 8 bytes, if it may be used. Not a promise. */
  find(idBytes: Uint8Array): SecretKey | undefined;
}
