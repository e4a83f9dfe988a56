// X25519 (RFC 7748). Public keys are imported as JWK (RFC 8037), which costs a tenth of what DER costs.
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { CryptoError } from '../errors.js';

export const PUBLIC_KEY_BYTES = 32;

/** The types of Node do not allow the encoding of a public key as JWK. */
type GenerateWithJwk = (
  type: 'x25519',
  options: { readonly publicKeyEncoding: { readonly format: 'jwk' } },
) => { readonly privateKey: KeyObject; readonly publicKey: { readonly x: string } };

/** The key pair of one handshake or of a client object. The private key never leaves this object. */
export class KeyPair {
  /** 32 bytes, as on the wire. */
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  /** @param publicKey - The public key of `privateKey`; not checked. */
  constructor(privateKey: KeyObject, publicKey: Buffer) {
    this.#privateKey = privateKey;
    this.publicKey = publicKey;
  }

  // The job that generates the pair also returns the public key, at a third of the cost of computing it. Do not export
  // the public key from the key object instead: the export allocates while it holds the lock of the key. If that starts
  // the garbage collector, which frees the finished job, the job waits for the same lock on the same thread forever.
  // Seen on Node 20 after about 20,000 handshakes. A job that still runs cannot be freed.
  static generate(): KeyPair {
    const generate = generateKeyPairSync as unknown as GenerateWithJwk;
    const { privateKey, publicKey } = generate('x25519', { publicKeyEncoding: { format: 'jwk' } });
    return new KeyPair(privateKey, Buffer.from(publicKey.x, 'base64url'));
  }

  /**
   * Returns the secret shared with the owner of `peerPublicKey`: 32 bytes, which the caller wipes.
   *
   * @throws {CryptoError} `ERR_PUBLIC_KEY` - not 32 bytes, or a point of low order, which makes the secret zero for
   *   every private key (RFC 7748 §6.1).
   */
  sharedSecret(peerPublicKey: Buffer): Buffer {
    try {
      const jwk = { kty: 'OKP', crv: 'X25519', x: peerPublicKey.toString('base64url') };
      const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
      return diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch (cause) {
      throw new CryptoError(
        'ERR_PUBLIC_KEY',
        'Invalid X25519 public key: it does not have 32 bytes, or is a low-order point',
        {
          cause,
        },
      );
    }
  }
}
