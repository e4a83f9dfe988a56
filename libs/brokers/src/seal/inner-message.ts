// The plaintext of an envelope (docs/brokers.md):   length of the head, 4 bytes, big-endian ‖ head, JSON ‖ payload
import { isObject } from '@sealwire/channel/internal';

export type HeaderEntry = readonly [name: string, value: string];

/** The sealed parts of a message other than the payload. */
export interface InnerHead {
  /** Names and values, in the order of the sender. A name may occur again. */
  readonly headers?: readonly HeaderEntry[] | undefined;
  /** Other parts of the message that the transport has, by their names there. */
  readonly properties?: readonly HeaderEntry[] | undefined;
  /** Where the sender of a request expects the answer. */
  readonly reply?: string | undefined;
  /** Names a request if its answer arrives under a name that others share. The answer has the same. */
  readonly request?: string | undefined;
  /** The place of a value in its answer. */
  readonly answer?: AnswerPlace | undefined;
}

/** The additions of a transport to the payload, for the receiver only. */
export type InnerParts = Pick<InnerHead, 'headers' | 'properties'>;

export interface AnswerPlace {
  /** Random, the same for all values of an answer. */
  readonly id: string;
  /** 0 for the first value. */
  readonly number: number;
}

export interface InnerMessage {
  readonly head: InnerHead;
  /** A view of the opened bytes. */
  readonly payload: Buffer;
}

const LENGTH_BYTES = 4;

export function encodeInner(head: InnerHead, content: Uint8Array | string): Uint8Array {
  const payload = typeof content === 'string' ? Buffer.from(content) : content;
  const text = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.alloc(LENGTH_BYTES + text.length + payload.length);
  bytes.writeUInt32BE(text.length);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(payload, LENGTH_BYTES + text.length);
  return bytes;
}

/** Returns undefined for bytes of any other form, which only a holder of the key can have sealed. */
export function decodeInner(bytes: Uint8Array): InnerMessage | undefined {
  const { buffer, byteOffset, length } = bytes;
  const all = Buffer.from(buffer, byteOffset, length);
  if (length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + all.readUInt32BE();
  if (end > length) return undefined;
  const head = parse(all.toString('utf8', LENGTH_BYTES, end));
  return isHead(head) ? { head, payload: all.subarray(end) } : undefined;
}

/** Returns the values of headers by name. A name that occurs more than once has a list. */
export function groupedByName<T extends object | string>(
  headers: readonly (readonly [name: string, value: T])[],
): Record<string, T | T[]> {
  const values = new Map<string, T | T[]>();
  for (const [name, value] of headers) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : ([before, value].flat() as T[]));
  }
  return Object.fromEntries(values);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isHead(value: unknown): value is InnerHead {
  if (!isObject(value)) return false;
  const { headers = [], properties = [], reply = '', request = '', answer } = value;
  return (
    areEntries(headers) &&
    areEntries(properties) &&
    typeof reply === 'string' &&
    typeof request === 'string' &&
    (answer === undefined || isAnswerPlace(answer))
  );
}

function areEntries(value: unknown): boolean {
  return Array.isArray(value) && value.every(isEntry);
}

function isEntry(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function isAnswerPlace(value: unknown): boolean {
  return isObject(value) && typeof value['id'] === 'string' && Number.isSafeInteger(value['number']);
}
