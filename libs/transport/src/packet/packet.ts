import type { ReadPacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { isObject } from '@sealwire/channel/internal';

export type Pattern = ReadPacket['pattern'];
/** `any`: the type that Nest's methods use if the caller gives no type argument. */
export type Untyped = ReadPacket['data'];

/**
 * Checks the result of a user's serializer, whose type is not reliable.
 *
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`, `sent: false` - not a packet.
 */
export function checkSerialized<Packet extends object>(packet: Packet): Packet {
  if (isPacket(packet)) return packet;
  throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', 'The serializer did not return a packet; expected an object', {
    sent: false,
  });
}

/**
 * Checks the result of a user's deserializer.
 *
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED` - not a packet.
 */
export function checkDeserialized<Packet extends object>(packet: Packet): Packet {
  if (isPacket(packet)) return packet;
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'The deserializer did not return a packet; expected an object', {
    sent: true,
  });
}

/**
 * Returns whether a value is an object. A text or bytes that a serializer has already encoded are not a packet: their
 * fields would be undefined.
 */
function isPacket(value: unknown): boolean {
  return isObject(value) && !ArrayBuffer.isView(value);
}

/** Returns whether Nest refuses to send the value, as pattern or data. */
export function isNil(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
