// The data of a message (docs/protocol.md §6.3):   encoding(1) ‖ bytes
import { TransportError } from '../errors.js';

import { parseJson, stringifyJson } from './json.js';

const JSON_TEXT = 0;
const RAW_BYTES = 1;
const UNDEFINED = 2;
const UNKNOWN = 255;
const ENCODING_BYTES = 1;

/**
 * Encodes behind `headBytes` bytes that the caller writes: `Buffer` and `Uint8Array` as their bytes, everything else as
 * JSON. The value is read now and never again: it may change as soon as this returns.
 *
 * @returns A buffer of its own, for head and data.
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`
 */
export function encodeData(value: unknown, headBytes = 0): Buffer {
  if (value instanceof Uint8Array) {
    const message = allocate(headBytes, RAW_BYTES, value.byteLength);
    message.set(value, headBytes + ENCODING_BYTES);
    return message;
  }
  const text = stringifyJson(value);
  if (text === undefined) return allocate(headBytes, UNDEFINED, 0);
  const message = allocate(headBytes, JSON_TEXT, Buffer.byteLength(text));
  message.write(text, headBytes + ENCODING_BYTES);
  return message;
}

/**
 * @param message - Its data begins at `start`. Raw bytes are returned as a view of it where they are most of its memory,
 *   as a copy elsewhere.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`
 */
export function decodeData(message: Buffer, start = 0): unknown {
  const bytesStart = start + ENCODING_BYTES;
  const encoding: number = message[start] ?? UNKNOWN;
  switch (encoding) {
    case JSON_TEXT:
      return parseJson(message, bytesStart);
    case RAW_BYTES:
      return detach(message.subarray(bytesStart));
    case UNDEFINED:
      if (message.length === bytesStart) return undefined;
      break;
  }
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'Data in an unknown encoding');
}

/** A small message is a view of the record it came in; the handler may keep its bytes, and must not keep that record. */
function detach(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

function allocate(headBytes: number, encoding: number, bytes: number): Buffer {
  const message = Buffer.allocUnsafe(headBytes + ENCODING_BYTES + bytes);
  message[headBytes] = encoding;
  return message;
}
