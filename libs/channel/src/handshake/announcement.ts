// What each side announces (docs/protocol.md §4.2): a server in message 2, a client in CONFIRM. 30 bytes, big-endian:
//
//   announcement  unix ms(8) ‖ max message bytes(4) ‖ max in flight(4) ‖ max incomplete bytes(4) ‖
//                 features(4) = 0 ‖ reserved(6) = 0
import { TransportError } from '../errors.js';

export const ANNOUNCEMENT_BYTES = 30;
const FEATURES_OFFSET = 20;
/** Version 1 has none: a server offers none, and a client chooses none, whatever it is offered. */
const OFFERED_FEATURES = 0;
const MIN_MESSAGE_BYTES = 65_536;

/** What a side accepts. It binds the other side as a sender; every number fits its field. */
export interface Announcement {
  /** The sender's clock. Information, never checked. */
  readonly unixMs: number;
  readonly maxMessageBytes: number;
  /** Open streams at once; a client serves none and announces 0. */
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
 * Reads {@link encodeAnnouncement}. The reserved bytes are for later versions and ignored, and so are the features that a
 * server offers.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - not 30 bytes, or a client that chose what was not offered.
 *   `ERR_PEER_LIMITS` - nothing could be sent to it.
 */
export function decodeAnnouncement(bytes: Buffer, from: 'client' | 'server'): Announcement {
  if (bytes.length !== ANNOUNCEMENT_BYTES) throw malformed(`An announcement of ${bytes.length} bytes`);
  const features = bytes.readUInt32BE(FEATURES_OFFSET);
  if (from === 'client' && (features & ~OFFERED_FEATURES) !== 0) {
    throw malformed(`The client chose features that were not offered: ${features.toString(16)}`);
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
    throw new TransportError('ERR_PEER_LIMITS', `The ${from} accepts messages of ${maxMessageBytes} bytes at most`);
  }
  if (from === 'server' && maxInFlight < 1) {
    throw new TransportError('ERR_PEER_LIMITS', 'The server announced 0 requests in flight');
  }
}

function malformed(message: string): TransportError {
  return new TransportError('ERR_HANDSHAKE_MALFORMED', message);
}
