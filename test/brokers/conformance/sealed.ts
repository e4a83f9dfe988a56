import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';

/** How the two ends of a sealed transport seal: a key that a test has made, and one service. */
export function sealing() {
  return { keyring: Keyring.of(SecretKey.fromBytes(generateKey())), service: 'conformance' };
}
