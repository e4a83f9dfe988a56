// A frame inside a DATA record (docs/protocol.md §6.1):   kind(1) ‖ flags(1) ‖ length u16 ‖ stream u32 ‖ payload(length)
import { TransportError } from '../errors.js';

export const FRAME_HEADER_BYTES = 8;
/** A sender cuts longer messages; a receiver takes any length that the record holds. */
export const MAX_FRAGMENT_BYTES = 16_384;
export const MAX_STREAM_ID = 0xffff_ffff;

const MORE = 1;
const LAST = 2;

const CODE_OF = { REQUEST: 1, EVENT: 2, NEXT: 3, ERROR: 4, COMPLETE: 5, CANCEL: 6, ACK: 7 } as const;
export type FrameKind = keyof typeof CODE_OF;
/** By their codes; there is none of code 0. */
const KINDS: readonly (FrameKind | undefined)[] = [undefined, ...(Object.keys(CODE_OF) as readonly FrameKind[])];

/** The kinds that carry a message, and so may be cut into fragments. */
export type MessageKind = 'REQUEST' | 'EVENT' | 'NEXT' | 'ERROR';

export interface Frame {
  readonly kind: FrameKind;
  /** Further fragments of the same message follow. */
  readonly more: boolean;
  /** NEXT only, on its final fragment: the answer is complete. */
  readonly last: boolean;
  readonly stream: number;
  /** A view of the record it came in. */
  readonly payload: Buffer;
}

export function frameBytes(frame: Frame): number {
  return FRAME_HEADER_BYTES + frame.payload.length;
}

/** Encodes frames one behind the other, as the body of one DATA record. */
export function encodeFrames(frames: readonly Frame[]): Buffer {
  const body = Buffer.allocUnsafe(framesBytes(frames));
  writeFrames(body, 0, frames);
  return body;
}

export function framesBytes(frames: readonly Frame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frameBytes(frame);
  return bytes;
}

/** As {@link encodeFrames}, into `target`, which must hold {@link framesBytes} from `offset` on. */
export function writeFrames(target: Buffer, offset: number, frames: readonly Frame[]): void {
  let at = offset;
  for (const { kind, more, last, stream, payload } of frames) {
    target[at] = CODE_OF[kind];
    target[at + 1] = (more ? MORE : 0) | (last ? LAST : 0);
    target.writeUInt16BE(payload.length, at + 2);
    target.writeUInt32BE(stream, at + 4);
    target.set(payload, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + payload.length;
  }
}

/**
 * Yields the frames of a DATA record, one at a time: a record holds thousands of them, and nothing is collected.
 *
 * @throws {TransportError} `ERR_FRAME_MALFORMED` - cut short, an unknown kind or flag, or a form its kind cannot have.
 */
export function* decodeFrames(body: Buffer): Generator<Frame, void> {
  let at = 0;
  while (at < body.length) {
    if (body.length - at < FRAME_HEADER_BYTES) throw malformed('a header cut short');
    const end = at + FRAME_HEADER_BYTES + body.readUInt16BE(at + 2);
    if (end > body.length) throw malformed('a payload cut short');
    yield decodeFrame(body, at, end);
    at = end;
  }
}

function decodeFrame(body: Buffer, at: number, end: number): Frame {
  const kind = KINDS[body.readUInt8(at)];
  if (kind === undefined) throw malformed('an unknown kind');
  const flags = body.readUInt8(at + 1);
  const stream = body.readUInt32BE(at + 4);
  if (stream === 0) throw malformed('stream 0');
  const payload = body.subarray(at + FRAME_HEADER_BYTES, end);
  checkForm(kind, flags, payload.length);
  return { kind, more: flags === MORE, last: flags === LAST, stream, payload };
}

function checkForm(kind: FrameKind, flags: number, length: number): void {
  switch (kind) {
    case 'COMPLETE':
    case 'CANCEL':
    case 'ACK':
      if (flags !== 0 || length !== 0) throw malformed(`${kind} with flags or a payload`);
      return;
    case 'NEXT':
      // MORE and LAST exclude one another: LAST is told by the final fragment.
      if (flags > LAST) throw malformed('unknown flags');
      break;
    case 'REQUEST':
    case 'EVENT':
    case 'ERROR':
      if (flags > MORE) throw malformed('unknown flags');
      break;
  }
  if (length === 0) throw malformed(`an empty fragment of ${kind}`);
}

function malformed(what: string): TransportError {
  return new TransportError('ERR_FRAME_MALFORMED', `A frame with ${what}`);
}
