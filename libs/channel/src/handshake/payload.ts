// The payloads that are sealed into the two handshake messages (docs/protocol.md §4.2):
//
//   payload 1     reserved(15) = 0                                reveals nothing about the client
//   payload 2     instance id(16) ‖ announcement(30)              of the server
import { TransportError } from '../errors.js';
import { ANNOUNCEMENT_BYTES, decodeAnnouncement, encodeAnnouncement } from './announcement.js';
import type { Announcement } from './announcement.js';

const PAYLOAD_1_BYTES = 15;
const INSTANCE_ID_BYTES = 16;
const PAYLOAD_2_BYTES = INSTANCE_ID_BYTES + ANNOUNCEMENT_BYTES;

/** The payload of message 2. */
export interface ServerPayload {
  /** 16 random bytes, drawn once for each server object. */
  readonly instanceId: Buffer;
  readonly announcement: Announcement;
}

export function encodePayload1(): Buffer {
  return Buffer.alloc(PAYLOAD_1_BYTES);
}

/**
 * Checks the length only, because the reserved bytes are for later versions.
 *
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED`
 */
export function checkPayload1(payload: Buffer): void {
  if (payload.length !== PAYLOAD_1_BYTES) throw malformed(payload, PAYLOAD_1_BYTES);
}

export function encodePayload2({ instanceId, announcement }: ServerPayload): Buffer {
  return Buffer.concat([instanceId, encodeAnnouncement(announcement)]);
}

/**
 * @param payload - The instance id of the result is a view into it.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` - not 46 bytes. `ERR_PEER_LIMITS` - the limits of the server are
 *   too low.
 */
export function decodePayload2(payload: Buffer): ServerPayload {
  if (payload.length !== PAYLOAD_2_BYTES) throw malformed(payload, PAYLOAD_2_BYTES);
  return {
    instanceId: payload.subarray(0, INSTANCE_ID_BYTES),
    announcement: decodeAnnouncement(payload.subarray(INSTANCE_ID_BYTES), 'server'),
  };
}

function malformed({ length }: Buffer, expected: number): TransportError {
  const message = `Malformed handshake payload: ${length} bytes; expected ${expected}`;
  return new TransportError('ERR_HANDSHAKE_MALFORMED', message);
}
