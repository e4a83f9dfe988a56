// The announcement of a side (docs/protocol.md §4.2): the server's in message 2, the client's in CONFIRM. 30 bytes,
// big-endian:
//
//   announcement  unix ms(8) ‖ max message bytes(4) ‖ max in flight(4) ‖ max incomplete bytes(4) ‖
//                 features(4) = 0 ‖ reserved(6) = 0
import { TransportError } from '../errors.js';

export const ANNOUNCEMENT_BYTES = 30;
const FEATURES_OFFSET = 20;
/** Version 1 has no features: a server offers none, and a client chooses none. */
const OFFERED_FEATURES = 0;
const MIN_MESSAGE_BYTES = 65_536;

/** The limits of a side as a receiver. They bind the other side as a sender. Every number fits its field. */
export interface Announcement {
  /** The clock of the sender, for information only. */
  readonly unixMs: number;
  readonly maxMessageBytes: number;
  /** The maximum number of open streams. A client serves no streams and announces 0. */
  readonly maxInFlight: number;
  readonly maxIncompleteBytes: number;
}

export function encodeAnnouncement(announcement: Announcement): Buffer {
  const bytes = Buffer.alloc(ANNOUNCEMENT_BYTES);
  bytes.writeBigUInt64BE(BigInt(announcement.unixMs));
  bytes.writeUInt32BE(announcement.maxMessageBytes, 8);
  bytes.writeUInt32BE(announcement.maxInFlight, 12);
  bytes.writeUInt32BE(announcement.maxIncompleteBytes, 16);
  bytes.writeUInt32BE(OFFERED_FEATURES, FEATURES_OFFSET);
  return bytes;
}

/**
 * Decodes the result of {@link encodeAnnouncement}. Ignores the reserved bytes, which are for later versions, and the
 * features that a server offers.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - not 30 bytes, or a client chose a feature that was not
 *   offered. `ERR_PEER_LIMITS` - the limits are too low to send anything.
 */
export function decodeAnnouncement(bytes: Buffer, from: 'client' | 'server'): Announcement {
  if (bytes.length !== ANNOUNCEMENT_BYTES)
    throw malformed(`Malformed announcement: ${bytes.length} bytes; expected ${ANNOUNCEMENT_BYTES}`);
  const features = bytes.readUInt32BE(FEATURES_OFFSET);
  if (from === 'client' && (features & ~OFFERED_FEATURES) !== 0) {
    throw malformed(`The client chose features that were not offered: 0x${features.toString(16)}`);
  }
  const announcement = {
    unixMs: Number(bytes.readBigUInt64BE()),
    maxMessageBytes: bytes.readUInt32BE(8),
    maxInFlight: bytes.readUInt32BE(12),
    maxIncompleteBytes: bytes.readUInt32BE(16),
  };
  checkMinimums(announcement, from);
  return announcement;
}

function checkMinimums({ maxMessageBytes, maxInFlight }: Announcement, from: 'client' | 'server'): void {
  if (maxMessageBytes < MIN_MESSAGE_BYTES) {
    throw new TransportError(
      'ERR_PEER_LIMITS',
      `The ${from} announced maxMessageBytes ${maxMessageBytes}; expected at least ${MIN_MESSAGE_BYTES}`,
    );
  }
  if (from === 'server' && maxInFlight < 1) {
    throw new TransportError('ERR_PEER_LIMITS', 'The server announced maxInFlight 0; expected at least 1');
  }
}

function malformed(message: string): TransportError {
  return new TransportError('ERR_HANDSHAKE_MALFORMED', message);
}
