// The data of a message (docs/protocol.md §6.3):   encoding(1) ‖ bytes
import { TransportError } from '../errors.js';

import { parseJson, stringifyJson } from './json.js';
import { DEFAULT_MAX_JSON_NODES } from './json-check.js';

const JSON_TEXT = 0;
const RAW_BYTES = 1;
const UNDEFINED = 2;
const UNKNOWN = 255;
const ENCODING_BYTES = 1;

/** What V8 takes for a value of JSON: an empty object 56 bytes, and 8 where it is kept. */
const NODE_BYTES = 64;
/** JSON that is not counted grows twentyfold at worst, `[{},{},…]`, and much less as a rule. */
const UNCOUNTED_GROWTH = 16;

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

export interface WeighedData {
  readonly value: unknown;
  /** About the bytes of memory that the value takes. */
  readonly weight: number;
}

/**
 * @param message - Its data begins at `start`. Raw bytes are returned as a copy, in an `ArrayBuffer` of their own: memory
 *   behind them would be open to whoever is given them.
 * @throws {TransportError} `ERR_MESSAGE_MALFORMED`, `ERR_MESSAGE_TOO_COMPLEX`
 */
export function decodeData(message: Buffer, start?: number, maxJsonNodes?: number): unknown {
  return weighData(message, start, maxJsonNodes).value;
}

/** As {@link decodeData}. */
export function weighData(message: Buffer, start = 0, maxJsonNodes = DEFAULT_MAX_JSON_NODES): WeighedData {
  const bytesStart = start + ENCODING_BYTES;
  const bytes = message.length - bytesStart;
  const encoding: number = message[start] ?? UNKNOWN;
  switch (encoding) {
    case JSON_TEXT: {
      const { value, nodes } = parseJson(message, bytesStart, message.length, maxJsonNodes);
      return { value, weight: nodes === undefined ? bytes * UNCOUNTED_GROWTH : bytes + nodes * NODE_BYTES };
    }
    case RAW_BYTES:
      return { value: copyOf(message, bytesStart), weight: bytes };
    case UNDEFINED:
      if (bytes === 0) return { value: undefined, weight: 0 };
      break;
  }
  throw new TransportError('ERR_MESSAGE_MALFORMED', 'Data in an unknown encoding');
}

/** Not from Node's pool, which others share. */
function copyOf(message: Buffer, start: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(message.length - start);
  message.copy(copy, 0, start);
  return copy;
}

function allocate(headBytes: number, encoding: number, bytes: number): Buffer {
  const message = Buffer.allocUnsafe(headBytes + ENCODING_BYTES + bytes);
  message[headBytes] = encoding;
  return message;
}
