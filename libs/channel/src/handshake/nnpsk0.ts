// The pattern NNpsk0 of Noise (revision 34, §7.4 and §9) with any cipher suite and any payload; docs/protocol.md §4.
//
//   → psk, e      e(32) ‖ sealed payload
//   ← e, ee       e(32) ‖ sealed payload
//
// A failure ends the handshake: the symmetric state must not be used after it.
import { wipe } from '@sealwire/crypto';
import { PUBLIC_KEY_BYTES } from '@sealwire/crypto/internal';
import type { CipherSuite, KeyPair } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { SymmetricState } from './symmetric-state.js';

export interface PatternInput {
  readonly suite: CipherSuite;
  /** The bytes that both sides must agree on beforehand; authenticated, not sent. */
  readonly prologue: Buffer;
  /** 32 bytes. */
  readonly psk: Uint8Array;
}

/** The content of the first message, after its tag was verified. */
export interface FirstExchange {
  /** The initiator's e, not checked yet: it may be a point of low order. */
  readonly peerPublicKey: Buffer;
  readonly payload: Buffer;
}

/** Both sides begin here: the prologue and the psk. */
export function beginNnpsk0({ suite, prologue, psk }: PatternInput): SymmetricState {
  return new SymmetricState(suite, `Noise_NNpsk0_25519_${suite.name}_SHA256`, prologue, psk);
}

/** The initiator's message. */
export function writeFirst(symmetric: SymmetricState, ephemeral: KeyPair, payload: Buffer): Buffer {
  mixPublicKey(symmetric, ephemeral.publicKey);
  return Buffer.concat([ephemeral.publicKey, symmetric.sealAndHash(payload)]);
}

/**
 * Reads {@link writeFirst}, at the cost of a few hashes: no Diffie-Hellman for a stranger.
 *
 * @throws {TransportError} `ERR_BAD_MAC` - another psk, another prologue, or altered.
 */
export function readFirst(symmetric: SymmetricState, message: Buffer): FirstExchange {
  const peerPublicKey = message.subarray(0, PUBLIC_KEY_BYTES);
  mixPublicKey(symmetric, peerPublicKey);
  return { peerPublicKey, payload: symmetric.openAndHash(message.subarray(PUBLIC_KEY_BYTES)) };
}

/**
 * The responder's message.
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
 * Reads {@link writeSecond}.
 *
 * @param ephemeral - The one that {@link writeFirst} sent.
 * @returns The payload.
 * @throws {TransportError} `ERR_BAD_MAC`; `ERR_HANDSHAKE_MALFORMED` for an e of low order.
 */
export function readSecond(symmetric: SymmetricState, ephemeral: KeyPair, message: Buffer): Buffer {
  const peerPublicKey = message.subarray(0, PUBLIC_KEY_BYTES);
  mixPublicKey(symmetric, peerPublicKey);
  mixSharedSecret(symmetric, ephemeral, peerPublicKey);
  return symmetric.openAndHash(message.subarray(PUBLIC_KEY_BYTES));
}

// The token "e". Patterns with a psk mix the public key into the key as well (§9.2): no nonce repeats under one psk.
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
 * X25519, for the caller to wipe.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - the peer sent a point of low order.
 */
export function sharedSecret(pair: KeyPair, peerPublicKey: Buffer): Buffer {
  try {
    return pair.sharedSecret(peerPublicKey);
  } catch (cause) {
    throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'An X25519 public key that no key can be agreed with', {
      cause,
    });
  }
}
