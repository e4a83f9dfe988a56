// The preamble of every handshake message (docs/protocol.md §4):
//
//   preamble      E1 53 4C 57 ‖ version(1) = 01 ‖ type(1) ‖ length(2, big-endian) of the rest
//
// Sizes are fixed, so each version has exactly three preambles, and a reader only compares them.
import { equalBytes } from '@sealwire/crypto';

export const PREAMBLE_BYTES = 8;

const MAGIC = Buffer.from('e1534c57', 'hex');
const VERSION = 0x01;
const TYPE = { message1: 0x01, message2: 0x02, alert: 0xff } as const;

/** @param messageBytes - The length of the whole message, including the preamble. */
export function encodePreamble(type: keyof typeof TYPE, messageBytes: number): Buffer {
  const length = messageBytes - PREAMBLE_BYTES;
  return Buffer.from([...MAGIC, VERSION, TYPE[type], length >> 8, length & 0xff]);
}

/** Returns whether `received` can be the start of a message with this preamble. */
export function beginsLike(received: Buffer, preamble: Buffer): boolean {
  const bytes = Math.min(received.length, PREAMBLE_BYTES);
  return equalBytes(received.subarray(0, bytes), preamble.subarray(0, bytes));
}

/** The only answer to a stranger, for every failure. Shared by all connections: do not modify it. */
export const ALERT: Buffer = encodePreamble('alert', PREAMBLE_BYTES);
export const ALERT_BYTES = ALERT.length;
