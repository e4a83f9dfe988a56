// The responder's half of docs/protocol.md §4: one message in, one out. No socket, no clock.
//
// Whatever is thrown here looks the same from outside: the connection answers with the one alert and is destroyed.
import { randomBytes } from 'node:crypto';

import { TransportError } from '../errors.js';
import { A128CBC_HS256, KEY_BYTES } from '../record/cipher-function.js';
import { decodeMessage1, encodeMessage2, encodePrologue } from './messages.js';
import type { Message1 } from './messages.js';
import { beginNnpsk0, readFirst, writeSecond } from './nnpsk0.js';
import type { FirstExchange } from './nnpsk0.js';
import { decodeAnnouncement, encodeAnnouncement } from './payload.js';
import type { HandshakeOptions, Session } from './session.js';
import type { SymmetricState } from './symmetric-state.js';
import { Ephemeral } from './x25519.js';

// What an unknown key id is checked against, so that it costs what a known one costs and tells nothing.
const DECOY_PSK = randomBytes(KEY_BYTES);

export interface ResponderOptions extends HandshakeOptions {
  /** Whether an instance id is one of our own: such a client is refused, as it only reached itself. Off by default. */
  readonly rejectSelf?: (instanceId: Buffer) => boolean;
}

/**
 * Answers message 1. Message 1 can be a replay: the client is a stranger until its CONFIRM was opened.
 *
 * @param findPsk - The psk of a key id of 8 bytes (a view, not to be kept); undefined for one that is not accepted.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED`, `ERR_UNKNOWN_KEY`, `ERR_OPEN_FAILED` - another key or service, or
 *   altered; `ERR_PEER_LIMITS`, `ERR_SELF_CONNECTION`.
 */
export function respond(
  findPsk: (keyId: Buffer) => Uint8Array | undefined,
  options: ResponderOptions,
  message1: Buffer,
): { message2: Buffer; session: Session } {
  const decoded = decodeMessage1(message1);
  const { symmetric, first } = authenticate(decoded, findPsk(decoded.keyId), options.service);
  try {
    return answer(symmetric, first, options, Buffer.from(decoded.keyId));
  } finally {
    symmetric.wipe();
  }
}

function answer(
  symmetric: SymmetricState,
  first: FirstExchange,
  options: ResponderOptions,
  keyId: Buffer,
): { message2: Buffer; session: Session } {
  const peer = decodeAnnouncement(first.payload, 'client');
  if (options.rejectSelf?.(peer.instanceId) === true) {
    throw new TransportError('ERR_SELF_CONNECTION', 'The client is of this very instance');
  }
  // Only now, for a peer that holds the key: what a stranger can trigger stays at a few hashes.
  const ephemeral = options.ephemeral ?? Ephemeral.generate();
  const payload = encodeAnnouncement(options.announcement);
  const exchange = writeSecond(symmetric, ephemeral, first.peerPublicKey, payload);
  const { initiatorKey, responderKey } = symmetric.split();
  const session = {
    outgoingKey: responderKey,
    incomingKey: initiatorKey,
    peer,
    handshakeHash: symmetric.handshakeHash,
    keyId,
  };
  return { message2: encodeMessage2(exchange), session };
}

interface Authenticated {
  readonly symmetric: SymmetricState;
  readonly first: FirstExchange;
}

function authenticate({ header, exchange }: Message1, psk: Uint8Array | undefined, service: string): Authenticated {
  const prologue = encodePrologue(header, service);
  const symmetric = beginNnpsk0({ cipher: A128CBC_HS256, prologue, psk: psk ?? DECOY_PSK });
  try {
    const first = readFirst(symmetric, exchange);
    if (psk !== undefined) return { symmetric, first };
  } catch (cause) {
    symmetric.wipe();
    if (psk !== undefined) throw new TransportError('ERR_OPEN_FAILED', 'Another key or service, or altered', { cause });
  }
  symmetric.wipe();
  throw new TransportError('ERR_UNKNOWN_KEY', 'A key id that is not accepted here');
}
