// The initiator's half of docs/protocol.md §4. No socket, no clock: bytes in, bytes out.
//
//   startInitiator → SENT → receiveMessage2 → DONE
import { equalBytes } from '@sealwire/crypto';

import { TransportError } from '../errors.js';
import { A128CBC_HS256 } from '../record/cipher-function.js';
import { decodeMessage2, encodeHeader, encodeMessage1, encodePrologue } from './messages.js';
import { beginNnpsk0, readSecond, writeFirst } from './nnpsk0.js';
import { decodeAnnouncement, encodeAnnouncement } from './payload.js';
import { ALERT } from './preamble.js';
import type { HandshakeOptions, PskOfKey, Session } from './session.js';
import type { SymmetricState } from './symmetric-state.js';
import { Ephemeral } from './x25519.js';

interface Sent {
  readonly at: 'SENT';
  readonly symmetric: SymmetricState;
  readonly ephemeral: Ephemeral;
  readonly keyId: Buffer;
}

/** One handshake under way. It is good for one message 2, and forgets its secrets with it. */
export interface InitiatorState {
  phase: Sent | { readonly at: 'DONE' };
}

export function startInitiator(
  { keyId, psk }: PskOfKey,
  { service, announcement, ephemeral = Ephemeral.generate() }: HandshakeOptions,
): { state: InitiatorState; message1: Buffer } {
  const header = encodeHeader(keyId);
  const symmetric = beginNnpsk0({ cipher: A128CBC_HS256, prologue: encodePrologue(header, service), psk });
  const exchange = writeFirst(symmetric, ephemeral, encodeAnnouncement(announcement));
  const state: InitiatorState = { phase: { at: 'SENT', symmetric, ephemeral, keyId } };
  return { state, message1: encodeMessage1(header, exchange) };
}

/**
 * Takes the server's answer. Whatever it throws ends the connection for good.
 *
 * @param message - Message 2 or an alert, whole.
 * @throws {TransportError} `ERR_ALERT` - the server refused. `ERR_OPEN_FAILED` - it does not hold the key, or the bytes
 *   were altered. `ERR_PEER_LIMITS`. `ERR_HANDSHAKE_MALFORMED` - anything else, a second call included.
 */
export function receiveMessage2(state: InitiatorState, message: Buffer): Session {
  const { phase } = state;
  state.phase = { at: 'DONE' }; // whatever comes of it: a handshake that failed is not tried again
  switch (phase.at) {
    case 'SENT':
      try {
        return open(phase, message);
      } finally {
        phase.symmetric.wipe();
      }
    case 'DONE':
      throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'A second handshake message in state DONE');
  }
}

/** Gives a handshake up. Its state takes no message 2 after that. */
export function abandonInitiator(state: InitiatorState): void {
  if (state.phase.at === 'SENT') state.phase.symmetric.wipe();
  state.phase = { at: 'DONE' };
}

function open({ symmetric, ephemeral, keyId }: Sent, message: Buffer): Session {
  if (equalBytes(message, ALERT)) throw refused();
  const payload = readSecond(symmetric, ephemeral, decodeMessage2(message));
  const peer = decodeAnnouncement(payload, 'server');
  const { initiatorKey, responderKey } = symmetric.split();
  return {
    outgoingKey: initiatorKey,
    incomingKey: responderKey,
    peer,
    handshakeHash: symmetric.handshakeHash,
    keyId,
  };
}

// The alert never says why, and is not authenticated: this names what is usually the case.
function refused(): TransportError {
  return new TransportError(
    'ERR_ALERT',
    'The server refused the handshake: wrong key, wrong service, or busy. Its own log says which',
  );
}
