// CONFIRM, the client's record 0 (docs/protocol.md §4.8). Its body has 78 bytes:
//
//   body          S(32) ‖ proof(16) ‖ announcement(30)            of the client
//   proof         HMAC(HKDF-Extract(salt = h, ikm = dh), "sealwire instance proof" ‖ S)[0..16)
//   dh            client: X25519(d_C, e_R)                        server: X25519(d_R, S)
import { equalBytes, hkdfExtract, hmacSha256, wipe } from '@sealwire/crypto';
import { PUBLIC_KEY_BYTES, sha256 } from '@sealwire/crypto/internal';
import type { KeyPair } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { CONFIRM_BODY_BYTES } from '../record/content.js';
import { LENGTH_BYTES, recordBytes } from '../record/record.js';
import { decodeAnnouncement, encodeAnnouncement } from './announcement.js';
import type { Announcement } from './announcement.js';
import { sharedSecret } from './nnpsk0.js';

export const CONFIRM_RECORD_BYTES = recordBytes(1 + CONFIRM_BODY_BYTES);
const LENGTH_FIELD = Buffer.of(0, CONFIRM_RECORD_BYTES - LENGTH_BYTES);
const PROOF_BYTES = 16;
const INSTANCE_ID_BYTES = 16;
const PROOF_LABEL = Buffer.from('sealwire instance proof');

export interface ConfirmInput {
  /** The key pair of the client object. */
  readonly instance: KeyPair;
  /** e_R of a verified message 2. */
  readonly serverEphemeral: Buffer;
  /** 32 bytes. Read, never kept. */
  readonly handshakeHash: Buffer;
  readonly announcement: Announcement;
}

/** A client whose CONFIRM was verified. */
export interface ConfirmedClient {
  /** S, 32 bytes: the public key of the client object. */
  readonly instanceKey: Buffer;
  readonly announcement: Announcement;
}

/** @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - e_R is a point of low order. */
export function encodeConfirm({ instance, serverEphemeral, handshakeHash, announcement }: ConfirmInput): Buffer {
  const proof = instanceProof(sharedSecret(instance, serverEphemeral), handshakeHash, instance.publicKey);
  return Buffer.concat([instance.publicKey, proof, encodeAnnouncement(announcement)]);
}

/**
 * Checks the first bytes that a server receives after message 2.
 *
 * @param received - All bytes so far, at least one.
 * @throws {TransportError} `ERR_RECORD_LENGTH` at the first wrong byte of the length.
 */
export function checkConfirmPrefix(received: Buffer): void {
  const bytes = Math.min(received.length, LENGTH_BYTES);
  if (equalBytes(received.subarray(0, bytes), LENGTH_FIELD.subarray(0, bytes))) return;
  throw new TransportError(
    'ERR_RECORD_LENGTH',
    `Invalid first record: expected CONFIRM with a length of ${CONFIRM_RECORD_BYTES - LENGTH_BYTES} bytes`,
  );
}

/** Verifies the CONFIRM of a connection. Owns the secrets that the proof needs, and drops them on first use. */
export class ConfirmVerifier {
  readonly #rejectSelf: ((instanceKey: Buffer) => boolean) | undefined;
  #needed: { readonly ephemeral: KeyPair; readonly handshakeHash: Buffer } | undefined;

  /**
   * @param handshakeHash - Copied.
   * @param rejectSelf - Returns whether a client of this process has that instance key.
   */
  constructor(ephemeral: KeyPair, handshakeHash: Buffer, rejectSelf?: (instanceKey: Buffer) => boolean) {
    const copy = Buffer.alloc(handshakeHash.length);
    copy.set(handshakeHash);
    this.#needed = { ephemeral, handshakeHash: copy };
    this.#rejectSelf = rejectSelf;
  }

  /**
   * @param body - The body of record 0 after its tag was verified, so that a stranger cannot cause a Diffie-Hellman.
   * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - S is a point of low order, a feature was not offered, or this
   *   is the second call; `ERR_INSTANCE_PROOF`, `ERR_PEER_LIMITS`, `ERR_SELF_CONNECTION`.
   */
  verify(body: Buffer): ConfirmedClient {
    if (this.#needed === undefined) throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'Unexpected second CONFIRM');
    const { ephemeral, handshakeHash } = this.#needed;
    try {
      const instanceKey = Buffer.from(body.subarray(0, PUBLIC_KEY_BYTES));
      const proof = body.subarray(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES + PROOF_BYTES);
      const expected = instanceProof(sharedSecret(ephemeral, instanceKey), handshakeHash, instanceKey);
      if (!equalBytes(proof, expected)) {
        throw new TransportError('ERR_INSTANCE_PROOF', 'The client does not hold the private key of its instance');
      }
      const announcement = decodeAnnouncement(body.subarray(PUBLIC_KEY_BYTES + PROOF_BYTES), 'client');
      if (this.#rejectSelf?.(instanceKey) === true) {
        throw new TransportError('ERR_SELF_CONNECTION', 'The client belongs to the same process (rejectSelf)');
      }
      return { instanceKey, announcement };
    } finally {
      this.drop();
    }
  }

  /** Drops the secrets if no CONFIRM arrived, or if it could not be opened. */
  drop(): void {
    if (this.#needed !== undefined) wipe(this.#needed.handshakeHash);
    this.#needed = undefined;
  }
}

/** Returns the name of a client object for logs. Nothing else may depend on it, because only S was verified. */
export function instanceIdOf(instanceKey: Buffer): Buffer {
  return sha256(instanceKey).subarray(0, INSTANCE_ID_BYTES);
}

/** @param dh - Overwritten. */
function instanceProof(dh: Buffer, handshakeHash: Buffer, instanceKey: Buffer): Uint8Array {
  const prk = hkdfExtract(handshakeHash, dh);
  const proof = hmacSha256(prk, PROOF_LABEL, instanceKey).subarray(0, PROOF_BYTES);
  wipe(dh, prk);
  return proof;
}
