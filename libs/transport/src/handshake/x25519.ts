// X25519 (RFC 7748). Points come in as JWK (RFC 8037): that costs a tenth of what DER costs.
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { wipe } from '@sealwire/crypto';

import { TransportError } from '../errors.js';

export const PUBLIC_KEY_BYTES = 32;
/** u = 9: what a private key multiplies to get its public key (RFC 7748 §6.1). */
const BASE_POINT = Buffer.alloc(PUBLIC_KEY_BYTES).fill(9, 0, 1);
/** What precedes the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A key pair of one handshake, or of a client object: its private half never leaves the process, nor this object. */
export class KeyPair {
  /** 32 bytes, as they travel. */
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  // The public key is computed, not exported. An export holds the lock of the key while it allocates; where that starts
  // the garbage collector, it frees the finished generation job, which waits for the same lock on the same thread: the
  // process stands still for good. Seen on Node 20 after some 20,000 handshakes.
  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = this.sharedSecret(BASE_POINT);
  }

  static generate(): KeyPair {
    return new KeyPair(generateKeyPairSync('x25519').privateKey);
  }

  /** The pair of a known private key of 32 bytes: for tests against vectors, and for nothing else. */
  static fromPrivateBytes(bytes: Buffer): KeyPair {
    // Not by JWK: its x would have to be the public key, which is not known yet (Node 26 compares them).
    const der = Buffer.alloc(PKCS8_PREFIX.length + bytes.length); // not `concat`: its result lies in the shared pool
    der.set(PKCS8_PREFIX);
    der.set(bytes, PKCS8_PREFIX.length);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    wipe(der);
    return new KeyPair(privateKey);
  }

  /**
   * The secret shared with the owner of `peerPublicKey`: 32 bytes, for the caller to wipe.
   *
   * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - not 32 bytes, or a point of low order, with which the secret
   *   would be zero whatever the private key is (RFC 7748 §6.1).
   */
  sharedSecret(peerPublicKey: Buffer): Buffer {
    try {
      const jwk = { kty: 'OKP', crv: 'X25519', x: peerPublicKey.toString('base64url') };
      const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
      return diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch (cause) {
      throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'An X25519 public key that no key can be agreed with', {
        cause,
      });
    }
  }
}
