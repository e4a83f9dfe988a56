// The data of a message (docs/protocol.md §6.3):   encoding(1) ‖ bytes
import { TransportError } from '../errors.js';

import { parseJson, stringifyJson } from './json.js';

const JSON_TEXT = 0;
const RAW_BYTES = 1;
const UNDEFINED = 2;
const UNKNOWN = 255;
const ENCODING_BYTES = 1;

/**
 * Encodes behind `head`, in one buffer: `Buffer` and `Uint8Array` as their bytes, everything else as JSON.
 * The value is read now and never again: it may change as soon as this returns.
 *
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`
 */
export function encodeData(value: unknown, head: Buffer = Buffer.alloc(0)): Buffer {
  if (value instanceof Uint8Array) {
    const message = allocate(head, RAW_BYTES, value.byteLength);
    message.set(value, head.length + ENCODING_BYTES);
    return message;
  }
  const text = stringifyJson(value);
  if (text === undefined) return allocate(head, UNDEFINED, 0);
  const message = allocate(head, JSON_TEXT, Buffer.byteLength(text));
  message.write(text, head.length + ENCODING_BYTES);
  return message;
}

/**
 * @param data - Raw bytes are returned as a view of it where it is most of its memory, as a copy elsewhere.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`
 */
export function decodeData(data: Buffer): unknown {
  const bytes = data.subarray(ENCODING_BYTES);
  const encoding = data.length > 0 ? data.readUInt8(0) : UNKNOWN;
  switch (encoding) {
    case JSON_TEXT:
      return parseJson(bytes);
    case RAW_BYTES:
      return detach(bytes);
    case UNDEFINED:
      if (bytes.length === 0) return undefined;
      break;
  }
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'Data in an unknown encoding');
}

/** A small message is a view of the record it came in; the handler may keep its bytes, and must not keep that record. */
function detach(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

function allocate(head: Buffer, encoding: number, bytes: number): Buffer {
  const message = Buffer.allocUnsafe(head.length + ENCODING_BYTES + bytes);
  head.copy(message);
  message[head.length] = encoding;
  return message;
}
