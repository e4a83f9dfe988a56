// What every handshake message starts with (docs/protocol.md §4):
//
//   preamble      E1 53 4C 57 ‖ version(1) = 01 ‖ type(1) ‖ length(2, big-endian) of what follows
//
// Sizes are fixed, so a version has three preambles and no others: a reader compares and parses nothing.
import { equalBytes } from '@sealwire/crypto';

export const PREAMBLE_BYTES = 8;

const MAGIC = Buffer.from('e1534c57', 'hex');
const VERSION = 0x01;
const TYPE = { message1: 0x01, message2: 0x02, alert: 0xff } as const;

/** @param messageBytes - Of the whole message, the preamble included. */
export function encodePreamble(type: keyof typeof TYPE, messageBytes: number): Buffer {
  const length = messageBytes - PREAMBLE_BYTES;
  return Buffer.from([...MAGIC, VERSION, TYPE[type], length >> 8, length & 0xff]);
}

/** Whether `received`, from one byte to a message and more, can be the beginning of a message with this preamble. */
export function beginsLike(received: Buffer, preamble: Buffer): boolean {
  const bytes = Math.min(received.length, PREAMBLE_BYTES);
  return equalBytes(received.subarray(0, bytes), preamble.subarray(0, bytes));
}

/** The one answer to a stranger, whatever was wrong. Shared: write it, never write to it. */
export const ALERT: Buffer = encodePreamble('alert', PREAMBLE_BYTES);
export const ALERT_BYTES = ALERT.length;
