// The responder's half of docs/protocol.md §4: message 1 in, message 2 and the verifier of CONFIRM out. No socket, no
// clock.
//
// Every error looks the same from outside: the connection answers with the alert and is destroyed.
import { KeyPair, randomBytes } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { SUITE } from '../record/record.js';
import { ConfirmVerifier } from './confirm.js';
import { decodeMessage1, encodeMessage2, encodePrologue } from './messages.js';
import type { Message1 } from './messages.js';
import { beginNnpsk0, readFirst, writeSecond } from './nnpsk0.js';
import type { FirstExchange } from './nnpsk0.js';
import { checkPayload1, encodePayload2 } from './payload.js';
import type { HandshakeOptions, Session } from './session.js';
import type { SymmetricState } from './symmetric-state.js';

// The psk for unknown key ids, so that they cost as much as known ones and the time reveals nothing.
const DECOY_PSK = randomBytes(SUITE.keyBytes);

export interface ResponderOptions extends HandshakeOptions {
  /** 16 random bytes, drawn once for each server object. */
  readonly instanceId: Buffer;
  /** Returns whether a client of this process has that instance key: such a client is refused. Off by default. */
  readonly rejectSelf?: (instanceKey: Buffer) => boolean;
}

/** The answer to message 1. `verifier` must be used or dropped, because it holds secrets of the handshake. */
export interface Response {
  readonly message2: Buffer;
  readonly session: Session;
  readonly verifier: ConfirmVerifier;
}

/**
 * Answers message 1, which may be a replay: the client stays a stranger until its CONFIRM is verified.
 *
 * @param findPsk - Returns the psk of a key id of 8 bytes (a view, not to be kept); undefined if it is not accepted.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED`, `ERR_UNKNOWN_KEY`, `ERR_BAD_MAC` - another key or service
 *   name, or altered bytes.
 */
export function respond(
  findPsk: (keyId: Buffer) => Uint8Array | undefined,
  options: ResponderOptions,
  message1: Buffer,
): Response {
  const decoded = decodeMessage1(message1);
  const { symmetric, first } = authenticate(decoded, findPsk(decoded.keyId), options.service);
  try {
    return answer(symmetric, first, options, Buffer.from(decoded.keyId));
  } finally {
    symmetric.wipe();
  }
}

function answer(symmetric: SymmetricState, first: FirstExchange, options: ResponderOptions, keyId: Buffer): Response {
  checkPayload1(first.payload);
  // Only for a peer that holds the key: a stranger can cause no more than a few hashes.
  const ephemeral = options.ephemeral ?? KeyPair.generate();
  const exchange = writeSecond(symmetric, ephemeral, first.peerPublicKey, encodePayload2(options));
  const { initiatorKey, responderKey } = symmetric.split();
  return {
    message2: encodeMessage2(exchange),
    session: { outgoingKey: responderKey, incomingKey: initiatorKey, keyId },
    verifier: new ConfirmVerifier(ephemeral, symmetric.handshakeHash, options.rejectSelf),
  };
}

interface Authenticated {
  readonly symmetric: SymmetricState;
  readonly first: FirstExchange;
}

function authenticate({ header, exchange }: Message1, psk: Uint8Array | undefined, service: string): Authenticated {
  const prologue = encodePrologue(header, service);
  const symmetric = beginNnpsk0({ suite: SUITE, prologue, psk: psk ?? DECOY_PSK });
  try {
    const first = readFirst(symmetric, exchange);
    if (psk !== undefined) return { symmetric, first };
  } catch (cause) {
    symmetric.wipe();
    if (psk !== undefined)
      throw new TransportError(
        'ERR_BAD_MAC',
        'Message 1 failed authentication: wrong key, wrong service name, or altered bytes',
        { cause },
      );
  }
  symmetric.wipe();
  throw new TransportError(
    'ERR_UNKNOWN_KEY',
    'Unknown key id: the client uses a key that this server does not have or cannot use now',
  );
}
