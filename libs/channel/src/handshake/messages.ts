// The two handshake messages (docs/protocol.md §4). The pattern writes and reads the exchange: e and the sealed
// payload.
//
//   message 1     preamble(8) ‖ key id(8) ‖ e_I(32) ‖ sealed payload(32)         header = its first 16 bytes
//   message 2     preamble(8) ‖ e_R(32) ‖ sealed payload(64)
//   prologue      "sealwire channel v1" ‖ header of message 1 ‖ length(2) ‖ service
import { TransportError } from '../errors.js';
import { ALERT, ALERT_BYTES, beginsLike, encodePreamble, PREAMBLE_BYTES } from './preamble.js';

export const MESSAGE_1_BYTES = 80;
export const MESSAGE_2_BYTES = 104;
const KEY_ID_BYTES = 8;

const HEADER_BYTES = PREAMBLE_BYTES + KEY_ID_BYTES;
const EPHEMERAL_BYTES = 32;
const MESSAGE_1_PREAMBLE = encodePreamble('message1', MESSAGE_1_BYTES);
const MESSAGE_2_PREAMBLE = encodePreamble('message2', MESSAGE_2_BYTES);
const CHANNEL_LABEL = Buffer.from('sealwire channel v1');

/** Views into message 1. */
export interface Message1 {
  readonly header: Buffer;
  readonly keyId: Buffer;
  readonly exchange: Buffer;
}

export function encodeHeader(keyId: Buffer): Buffer {
  return Buffer.concat([MESSAGE_1_PREAMBLE, keyId]);
}

export function encodeMessage1(header: Buffer, exchange: Buffer): Buffer {
  return Buffer.concat([header, exchange]);
}

/** @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` */
export function decodeMessage1(message: Buffer): Message1 {
  if (message.length !== MESSAGE_1_BYTES || !beginsLike(message, MESSAGE_1_PREAMBLE)) throw malformed('message 1');
  return {
    header: message.subarray(0, HEADER_BYTES),
    keyId: message.subarray(PREAMBLE_BYTES, HEADER_BYTES),
    exchange: message.subarray(HEADER_BYTES),
  };
}

/** Returns e_I of a whole message 1, a view. It is different in every honest message 1. */
export function ephemeralOf(message1: Buffer): Buffer {
  return message1.subarray(HEADER_BYTES, HEADER_BYTES + EPHEMERAL_BYTES);
}

export function encodeMessage2(exchange: Buffer): Buffer {
  return Buffer.concat([MESSAGE_2_PREAMBLE, exchange]);
}

/**
 * @returns The exchange, a view.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED`
 */
export function decodeMessage2(message: Buffer): Buffer {
  if (message.length !== MESSAGE_2_BYTES || !beginsLike(message, MESSAGE_2_PREAMBLE)) throw malformed('message 2');
  return message.subarray(PREAMBLE_BYTES);
}

/** Returns the prologue, which binds the handshake to this protocol, the key id and the service name. */
export function encodePrologue(header: Buffer, service: string): Buffer {
  const name = Buffer.from(service);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(name.length);
  return Buffer.concat([CHANNEL_LABEL, header, length, name]);
}

/**
 * Checks the first bytes that a server receives: another protocol is detected by its first wrong byte.
 *
 * @param received - All bytes so far, at least one.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED`; `ERR_EARLY_BYTES` for bytes after message 1.
 */
export function checkMessage1Prefix(received: Buffer): void {
  if (!beginsLike(received, MESSAGE_1_PREAMBLE)) throw malformed('message 1');
  if (received.length > MESSAGE_1_BYTES)
    throw new TransportError('ERR_EARLY_BYTES', 'The client sent bytes after message 1, before message 2');
}

/**
 * Checks the first bytes that a client receives.
 *
 * @param received - All bytes so far, at least one. Bytes after the reply are ignored.
 * @returns The length of the reply, message 2 or an alert; undefined while both are possible.
 * @throws {TransportError} `ERR_HANDSHAKE_MALFORMED` at the first byte that fits neither.
 */
export function expectedReplyBytes(received: Buffer): number | undefined {
  const canBeMessage2 = beginsLike(received, MESSAGE_2_PREAMBLE);
  const canBeAlert = beginsLike(received, ALERT);
  if (canBeMessage2 && canBeAlert) return undefined;
  if (canBeMessage2) return MESSAGE_2_BYTES;
  if (canBeAlert) return ALERT_BYTES;
  throw malformed('message 2 or an alert');
}

function malformed(expected: string): TransportError {
  return new TransportError(
    'ERR_HANDSHAKE_MALFORMED',
    `Malformed handshake: expected ${expected} of protocol version 1`,
  );
}
