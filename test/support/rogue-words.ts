// The records and frames that a rogue peer sends and receives, byte by byte if necessary: docs/protocol.md §5.2, §6.1.
import { encodeEvent, encodeRequest } from '../../libs/transport/src/packet/message.js';
import { encodeData } from '../../libs/transport/src/packet/payload.js';
import { bytesOf, decodeFrames } from './frames.js';
import type { PlainFrame } from './frames.js';

const NOTHING: Buffer = Buffer.alloc(0);
/** More than one frame holds. */
export const LARGE_BYTES = 70_000;
export const MORE = 1;
export const LAST = 2;
export const FIRST = 4;

const TYPES = { DATA: 1, KEY_UPDATE: 2, CLOSE: 3, GOAWAY: 4, PING: 5, PONG: 6, CONFIRM: 7, CREDIT: 8 } as const;
const KINDS = { REQUEST: 1, EVENT: 2, NEXT: 3, ERROR: 4, COMPLETE: 5, CANCEL: 6, ACK: 7 } as const;
export type Kind = keyof typeof KINDS;

/** The plaintext of a record: any type, any body. */
export function inner(type: keyof typeof TYPES | number, body: Buffer = NOTHING): Buffer {
  return Buffer.concat([Buffer.of(typeof type === 'number' ? type : TYPES[type]), body]);
}

/** As long as CONFIRM has to be; it proves nothing. The one of a session is `RoguePeer.confirm`. */
export const FALSE_CONFIRM = inner('CONFIRM', Buffer.alloc(78, 0x55));
export const GOAWAY = inner('GOAWAY');
export const KEY_UPDATE = inner('KEY_UPDATE');
export const CLOSE = inner('CLOSE', Buffer.of(0));
export const PING = inner('PING', Buffer.alloc(8, 0x11));

export function credit(taken: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(BigInt(taken));
  return inner('CREDIT', body);
}

/** A DATA record of these frames. */
export function data(...frames: readonly Buffer[]): Buffer {
  return inner('DATA', Buffer.concat(frames));
}

/** Any kind, any flags, and any length field. */
export function frame(
  kind: Kind | number,
  stream: number,
  payload: Buffer = NOTHING,
  flags = 0,
  length = payload.length,
): Buffer {
  const header = Buffer.alloc(8);
  header[0] = flags * 16 + (typeof kind === 'number' ? kind : KINDS[kind]);
  header.writeUIntBE(length, 1, 3);
  header.writeUInt32BE(stream, 4);
  return Buffer.concat([header, payload]);
}

/** The first fragment of a message of `total` bytes. */
export function first(kind: Kind, stream: number, total = LARGE_BYTES, piece: Buffer = Buffer.of(0)): Buffer {
  const announced = Buffer.alloc(4);
  announced.writeUInt32BE(total);
  return frame(kind, stream, Buffer.concat([announced, piece]), FIRST | MORE);
}

/** Data as it is on the wire. */
export function encoded(value: unknown): Buffer {
  return bytesOf(encodeData(value));
}

/** The message of a request for `pattern`. */
export function asked(pattern = 'count', value: unknown = 1, timeoutMs = 0): Buffer {
  return bytesOf(encodeRequest({ timeoutMs, pattern, data: value }));
}

export function noted(sequence = 0, value: unknown = 1): Buffer {
  const event = encodeEvent({ pattern: 'noted', data: value });
  event.prefix = sequence;
  return bytesOf(event);
}

/** A message with a head and data as they are given: §6.2. */
export function message(
  prefix: Buffer,
  pattern: Buffer | string,
  metadata: Buffer | string,
  dataBytes = encoded(1),
): Buffer {
  const part = (text: Buffer | string): Buffer => {
    const bytes = Buffer.from(text as string);
    return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
  };
  return Buffer.concat([prefix, part(pattern), part(metadata), dataBytes]);
}

/** A whole REQUEST, EVENT or value of an answer in one record. */
export const request = (stream = 1, payload = asked()): Buffer => data(frame('REQUEST', stream, payload));
export const event = (stream = 1, payload = noted()): Buffer => data(frame('EVENT', stream, payload));
export const answer = (stream = 1, value: unknown = 1): Buffer => data(frame('NEXT', stream, encoded(value), LAST));

/** An opened record in words: the type, or the kind and stream of each frame. */
export function wordsOf(opened: Buffer): string[] {
  const [type] = Object.entries(TYPES).find(([, number]) => number === opened[0]) ?? ['unknown'];
  return type === 'DATA' ? decodeFrames(opened.subarray(1)).map(frameWord) : [type];
}

function frameWord({ kind, stream, payload, more }: PlainFrame): string {
  const code = /ERR_\w+/.exec(kind === 'ERROR' ? payload.toString('latin1') : '')?.[0];
  return [kind, stream, code, more ? 'more' : undefined].filter((word) => word !== undefined).join(' ');
}

/** A message of more than one frame, cut into fragments of `bytes` each, every one in a record of its own. */
export function fragments(kind: Kind, stream: number, payload: Buffer, bytes: number): Buffer[] {
  const cuts = Array.from({ length: Math.ceil(payload.length / bytes) }, (_, i) =>
    payload.subarray(i * bytes, (i + 1) * bytes),
  );
  return cuts.map((cut, i) =>
    data(i === 0 ? first(kind, stream, payload.length, cut) : frame(kind, stream, cut, i < cuts.length - 1 ? MORE : 0)),
  );
}
