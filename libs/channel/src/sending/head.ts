// The head of a request or an event (docs/protocol.md §6.2):
//   u16 len(pattern) ‖ pattern ‖ u16 len(metadata) ‖ metadata (a JSON object, or nothing)
import { TransportError } from '../errors.js';
import type { SEQUENCE_BYTES, TIMEOUT_BYTES } from '../frame/prefix.js';
import type { MessageHead } from './outgoing-message.js';

export const PART_LENGTH_BYTES = 2;
const MAX_PART_BYTES = 0xffff;

/** @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` - the pattern or the metadata has more than 65,535 bytes. */
export function encodeHead(
  pattern: string,
  metadata: string,
  prefixBytes: typeof TIMEOUT_BYTES | typeof SEQUENCE_BYTES,
): MessageHead {
  const patternBytes = Buffer.byteLength(pattern);
  const metadataBytes = Buffer.byteLength(metadata);
  if (patternBytes > MAX_PART_BYTES || metadataBytes > MAX_PART_BYTES) {
    const message = `The pattern has ${patternBytes} bytes and the metadata ${metadataBytes}; expected at most 65,535 each`;
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', message, { sent: false });
  }
  const bytes = Buffer.alloc(2 * PART_LENGTH_BYTES + patternBytes + metadataBytes);
  let at = bytes.writeUInt16BE(patternBytes, 0);
  at += bytes.write(pattern, at, patternBytes);
  at = bytes.writeUInt16BE(metadataBytes, at);
  bytes.write(metadata, at, metadataBytes);
  return { prefixBytes, bytes };
}

/**
 * Returns the end of the part whose length is at `start`.
 *
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`
 */
export function endOfPart(message: Buffer, start: number): number {
  const end =
    message.length - start < PART_LENGTH_BYTES ? Infinity : start + PART_LENGTH_BYTES + message.readUInt16BE(start);
  if (end <= message.length) return end;
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'The head of the message is truncated');
}
