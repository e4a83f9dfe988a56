// What each side announces under the seal of its handshake message (docs/protocol.md §4). 47 bytes, big-endian:
//
//   payload       instance id(16) ‖ unix ms(8) ‖ max message bytes(4) ‖ max in flight(4) ‖
//                 max incomplete bytes(4) ‖ features(4) = 0 ‖ reserved(7) = 0
import { TransportError } from '../errors.js';

const PAYLOAD_BYTES = 47;
const INSTANCE_ID_BYTES = 16;
const MIN_MESSAGE_BYTES = 65_536; // less than this nobody could work with

/** What a side tells of itself. It binds the other as a sender; every number fits its field. */
export interface Announcement {
  /** 16 bytes, drawn when the process starts. */
  readonly instanceId: Buffer;
  /** The sender's clock. Information, never checked. */
  readonly unixMs: number;
  readonly maxMessageBytes: number;
  /** Open streams at once; a client serves none and announces 0. */
  readonly maxInFlight: number;
  readonly maxIncompleteBytes: number;
}

export function encodeAnnouncement(announcement: Announcement): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  announcement.instanceId.copy(payload);
  payload.writeBigUInt64BE(BigInt(announcement.unixMs), 16);
  payload.writeUInt32BE(announcement.maxMessageBytes, 24);
  payload.writeUInt32BE(announcement.maxInFlight, 28);
  payload.writeUInt32BE(announcement.maxIncompleteBytes, 32);
  return payload;
}

/**
 * Reads {@link encodeAnnouncement}. Features and reserved bytes are for later versions and not looked at.
 *
 * @param payload - The instance id of the result is a view into it.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - not 47 bytes. `ERR_PEER_LIMITS` - nothing could be sent to it.
 */
export function decodeAnnouncement(payload: Buffer, from: 'client' | 'server'): Announcement {
  if (payload.length !== PAYLOAD_BYTES) {
    throw new TransportError('ERR_HANDSHAKE_MALFORMED', `A handshake payload of ${payload.length} bytes`);
  }
  const announcement = {
    instanceId: payload.subarray(0, INSTANCE_ID_BYTES),
    unixMs: Number(payload.readBigUInt64BE(16)),
    maxMessageBytes: payload.readUInt32BE(24),
    maxInFlight: payload.readUInt32BE(28),
    maxIncompleteBytes: payload.readUInt32BE(32),
  };
  checkMinimums(announcement, from);
  return announcement;
}

function checkMinimums({ maxMessageBytes, maxInFlight }: Announcement, from: 'client' | 'server'): void {
  if (maxMessageBytes < MIN_MESSAGE_BYTES) {
    throw new TransportError('ERR_PEER_LIMITS', `The ${from} takes messages of ${maxMessageBytes} bytes at most`);
  }
  if (from === 'server' && maxInFlight < 1) {
    throw new TransportError('ERR_PEER_LIMITS', 'The server takes no request at all');
  }
}
