import { TransportError } from '@sealwire/channel';

/**
 * What a user's serializer gave, whose type says nothing certain.
 *
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`, `sent: false` - not a packet.
 */
export function checkSerialized<Packet extends object>(packet: Packet): Packet {
  if (isPacket(packet)) return packet;
  throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', 'The serializer gave no packet', { sent: false });
}

/**
 * What a user's deserializer gave.
 *
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not a packet.
 */
export function checkDeserialized<Packet extends object>(packet: Packet): Packet {
  if (isPacket(packet)) return packet;
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'The deserializer gave no packet', { sent: true });
}

/** What is encoded already, as a text or as bytes, is none: everything read from it would be undefined. */
function isPacket(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** What Nest refuses to send, pattern or data. */
export function isNil(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
