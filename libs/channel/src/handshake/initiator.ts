// The initiator's half of docs/protocol.md §4. No socket, no clock: bytes in, bytes out.
//
//   startInitiator → SENT → receiveMessage2 → DONE
import { equalBytes } from '@sealwire/crypto';
import { KeyPair, PUBLIC_KEY_BYTES } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { SUITE } from '../record/record.js';
import { encodeConfirm } from './confirm.js';
import { decodeMessage2, encodeHeader, encodeMessage1, encodePrologue } from './messages.js';
import { beginNnpsk0, readSecond, writeFirst } from './nnpsk0.js';
import { decodePayload2, encodePayload1 } from './payload.js';
import { ALERT } from './preamble.js';
import type { ClientSession, HandshakeOptions, PskOfKey } from './session.js';
import type { SymmetricState } from './symmetric-state.js';

export interface InitiatorOptions extends HandshakeOptions {
  /** The key pair of the client object: the same one on all its connections. */
  readonly instance: KeyPair;
  /** Returns whether a server of this process has that instance id: such a server is refused. Off by default. */
  readonly rejectSelf?: (instanceId: Buffer) => boolean;
}

interface Sent {
  readonly at: 'SENT';
  readonly symmetric: SymmetricState;
  readonly ephemeral: KeyPair;
  readonly keyId: Buffer;
  readonly options: InitiatorOptions;
}

/** The state of one handshake. It accepts one message 2 and then drops its secrets. */
export interface InitiatorState {
  phase: Sent | { readonly at: 'DONE' };
}

/** Starts a handshake and returns its message 1. */
export function startInitiator(
  { keyId, psk }: PskOfKey,
  options: InitiatorOptions,
): { state: InitiatorState; message1: Buffer } {
  const { service, ephemeral = KeyPair.generate() } = options;
  const header = encodeHeader(keyId);
  const symmetric = beginNnpsk0({ suite: SUITE, prologue: encodePrologue(header, service), psk });
  const exchange = writeFirst(symmetric, ephemeral, encodePayload1());
  const state: InitiatorState = { phase: { at: 'SENT', symmetric, ephemeral, keyId, options } };
  return { state, message1: encodeMessage1(header, exchange) };
}

/**
 * Verifies the reply of the server and prepares CONFIRM, which proves the instance key of the client to that server.
 * Every error ends the connection.
 *
 * @param message - The whole message 2, or an alert.
 * @throws {TransportError} `ERR_ALERT` - the server refused. `ERR_BAD_MAC` - the server does not have the key, or the
 *   bytes were altered. `ERR_PEER_LIMITS`, `ERR_SELF_CONNECTION`. `ERR_HANDSHAKE_MALFORMED` - every other failure, and
 *   a second call.
 */
export function receiveMessage2(state: InitiatorState, message: Buffer): ClientSession {
  const { phase } = state;
  state.phase = { at: 'DONE' }; // first, because a failed handshake must not continue
  switch (phase.at) {
    case 'SENT':
      try {
        return open(phase, message);
      } finally {
        phase.symmetric.wipe();
      }
    case 'DONE':
      throw new TransportError('ERR_HANDSHAKE_MALFORMED', 'Unexpected handshake message: message 2 arrived twice');
  }
}

/** Aborts a handshake and drops its secrets. */
export function abandonInitiator(state: InitiatorState): void {
  if (state.phase.at === 'SENT') state.phase.symmetric.wipe();
  state.phase = { at: 'DONE' };
}

function open({ symmetric, ephemeral, keyId, options }: Sent, message: Buffer): ClientSession {
  if (equalBytes(message, ALERT)) throw refused();
  const exchange = decodeMessage2(message);
  const { instanceId, announcement: peer } = decodePayload2(readSecond(symmetric, ephemeral, exchange));
  if (options.rejectSelf?.(instanceId) === true) {
    throw new TransportError('ERR_SELF_CONNECTION', 'The server belongs to the same process (rejectSelf)');
  }
  const { instance, announcement } = options;
  const { handshakeHash } = symmetric;
  const serverEphemeral = exchange.subarray(0, PUBLIC_KEY_BYTES);
  const confirm = encodeConfirm({ instance, serverEphemeral, handshakeHash, announcement });
  const { initiatorKey, responderKey } = symmetric.split();
  const serverId = Buffer.from(instanceId);
  return { outgoingKey: initiatorKey, incomingKey: responderKey, keyId, serverId, peer, confirm };
}

// The alert has no reason, and an attacker on the path can send it. The text is a hint for the operator; no code
// depends on it.
function refused(): TransportError {
  return new TransportError(
    'ERR_ALERT',
    'The server refused the handshake: the key or the service name differs, the server is busy, or an attacker on the network sent the refusal. The log of the server has the reason',
  );
}
