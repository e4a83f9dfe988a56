// The pattern NNpsk0 of Noise (revision 34, §7.4 and §9) with any cipher suite and any payload; docs/protocol.md §4.
//
//   → psk, e      e(32) ‖ sealed payload
//   ← e, ee       e(32) ‖ sealed payload
//
// A failure ends the handshake: the symmetric state must not be used afterwards.
import { wipe } from '@sealwire/crypto';
import { PUBLIC_KEY_BYTES } from '@sealwire/crypto/internal';
import type { CipherSuite, KeyPair } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { SymmetricState } from './symmetric-state.js';

export interface PatternInput {
  readonly suite: CipherSuite;
  /** Bytes that must be equal on both sides; authenticated, not sent. */
  readonly prologue: Buffer;
  /** 32 bytes. */
  readonly psk: Uint8Array;
}

/** The content of the first message, after its tag was verified. */
export interface FirstExchange {
  /** The initiator's e, unchecked: it may be a point of low order. */
  readonly peerPublicKey: Buffer;
  readonly payload: Buffer;
}

/** Initializes the state of either side with the prologue and the psk. */
export function beginNnpsk0({ suite, prologue, psk }: PatternInput): SymmetricState {
  return new SymmetricState(suite, `Noise_NNpsk0_25519_${suite.name}_SHA256`, prologue, psk);
}

/** Writes the message of the initiator. */
export function writeFirst(symmetric: SymmetricState, ephemeral: KeyPair, payload: Buffer): Buffer {
  mixPublicKey(symmetric, ephemeral.publicKey);
  return Buffer.concat([ephemeral.publicKey, symmetric.sealAndHash(payload)]);
}

/**
 * Reads the result of {@link writeFirst}. Costs only a few hashes, because a stranger must not cause a Diffie-Hellman.
 *
 * @throws {TransportError} `ERR_BAD_MAC` - another psk or prologue, or altered bytes.
 */
export function readFirst(symmetric: SymmetricState, message: Buffer): FirstExchange {
  const peerPublicKey = message.subarray(0, PUBLIC_KEY_BYTES);
  mixPublicKey(symmetric, peerPublicKey);
  return { peerPublicKey, payload: symmetric.openAndHash(message.subarray(PUBLIC_KEY_BYTES)) };
}

/**
 * Writes the message of the responder.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - the initiator's e is a point of low order.
 */
export function writeSecond(
  symmetric: SymmetricState,
  ephemeral: KeyPair,
  peerPublicKey: Buffer,
  payload: Buffer,
): Buffer {
  mixPublicKey(symmetric, ephemeral.publicKey);
  mixSharedSecret(symmetric, ephemeral, peerPublicKey);
  return Buffer.concat([ephemeral.publicKey, symmetric.sealAndHash(payload)]);
}

/**
 * Reads the result of {@link writeSecond}.
 *
 * @param ephemeral - The key pair passed to {@link writeFirst}.
 * @returns The payload.
 * @throws {TransportError} `ERR_BAD_MAC`; `ERR_HANDSHAKE_MALFORMED` for an e of low order.
 */
export function readSecond(symmetric: SymmetricState, ephemeral: KeyPair, message: Buffer): Buffer {
  const peerPublicKey = message.subarray(0, PUBLIC_KEY_BYTES);
  mixPublicKey(symmetric, peerPublicKey);
  mixSharedSecret(symmetric, ephemeral, peerPublicKey);
  return symmetric.openAndHash(message.subarray(PUBLIC_KEY_BYTES));
}

// The token "e". Patterns with a psk also mix the public key into the key (§9.2), so that no nonce repeats under one
// psk.
function mixPublicKey(symmetric: SymmetricState, publicKey: Buffer): void {
  symmetric.mixHash(publicKey);
  symmetric.mixKey(publicKey);
}

// The token "ee".
function mixSharedSecret(symmetric: SymmetricState, ephemeral: KeyPair, peerPublicKey: Buffer): void {
  const secret = sharedSecret(ephemeral, peerPublicKey);
  symmetric.mixKey(secret);
  wipe(secret);
}

/**
 * Returns the X25519 secret, which the caller wipes.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - the peer sent a point of low order.
 */
export function sharedSecret(pair: KeyPair, peerPublicKey: Buffer): Buffer {
  try {
    return pair.sharedSecret(peerPublicKey);
  } catch (cause) {
    throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'Invalid X25519 public key: it is a low-order point', {
      cause,
    });
  }
}
