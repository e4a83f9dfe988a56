// X25519 (RFC 7748). Points come in as JWK (RFC 8037): that costs a tenth of what DER costs.
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { CryptoError } from '../errors.js';

export const PUBLIC_KEY_BYTES = 32;

/** Node's own types have no encoding of a public key as JWK. */
type GenerateWithJwk = (
  type: 'x25519',
  options: { readonly publicKeyEncoding: { readonly format: 'jwk' } },
) => { readonly privateKey: KeyObject; readonly publicKey: { readonly x: string } };

/** A key pair of one handshake, or of a client object. Its private half never leaves this object. */
export class KeyPair {
  /** 32 bytes, as they travel. */
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  /** @param publicKey - That of `privateKey`, which is not checked. */
  constructor(privateKey: KeyObject, publicKey: Buffer) {
    this.#privateKey = privateKey;
    this.publicKey = publicKey;
  }

  // The job that generates the pair gives the public key as well, for a third of what it costs to compute it. An export
  // from the key object must not take its place: it holds the lock of the key while it allocates, and if that starts the
  // garbage collector, which frees the finished job, that waits for the same lock on the same thread for good. Seen on
  // Node 20 after some 20,000 handshakes. While the job still runs it cannot be freed.
  static generate(): KeyPair {
    const generate = generateKeyPairSync as unknown as GenerateWithJwk;
    const { privateKey, publicKey } = generate('x25519', { publicKeyEncoding: { format: 'jwk' } });
    return new KeyPair(privateKey, Buffer.from(publicKey.x, 'base64url'));
  }

  /**
   * The secret shared with the owner of `peerPublicKey`: 32 bytes, for the caller to wipe.
   *
   * @throws {CryptoError} `ERR_PUBLIC_KEY` - not 32 bytes, or a point of low order, with which the secret
   *   would be zero whatever the private key is (RFC 7748 §6.1).
   */
  sharedSecret(peerPublicKey: Buffer): Buffer {
    try {
      const jwk = { kty: 'OKP', crv: 'X25519', x: peerPublicKey.toString('base64url') };
      const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
      return diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch (cause) {
      throw new CryptoError('ERR_PUBLIC_KEY', 'Not an X25519 public key, or a point of low order', { cause });
    }
  }
}
