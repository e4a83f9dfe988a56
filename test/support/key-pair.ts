import { createPrivateKey, createPublicKey } from 'node:crypto';

import { KeyPair } from '@sealwire/crypto/internal';

/** The bytes before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The pair of a known private key of 32 bytes. */
export function keyPairOf(privateBytes: Buffer): KeyPair {
  const der = Buffer.concat([PKCS8_PREFIX, privateBytes]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return new KeyPair(privateKey, Buffer.from(x, 'base64url'));
}
