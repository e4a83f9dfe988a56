// A frame inside a DATA record (docs/protocol.md §6.1):
//   flags(high 4 bits), kind(low 4 bits) ‖ length u24 ‖ stream u32 ‖ payload(length)
//   payload with FIRST: total u32 ‖ piece                                             without: piece
import { TransportError } from '../errors.js';

export const FRAME_HEADER_BYTES = 8;
export const TOTAL_BYTES = 4;
/** The largest message that fits into one frame of one record. Larger messages need several frames. */
export const MAX_WHOLE_BYTES = 65_494;
export const MAX_STREAM_ID = 0xffff_ffff;

export const MORE = 1;
export const LAST = 2;
export const FIRST = 4;

export const KIND_CODE = { REQUEST: 1, EVENT: 2, NEXT: 3, ERROR: 4, COMPLETE: 5, CANCEL: 6, ACK: 7 } as const;
export type FrameKind = keyof typeof KIND_CODE;
/** Indexed by code; code 0 does not exist. */
const KINDS: readonly (FrameKind | undefined)[] = [undefined, ...(Object.keys(KIND_CODE) as readonly FrameKind[])];

/** The kinds that carry a message, which may be split into fragments. */
export type MessageKind = 'REQUEST' | 'EVENT' | 'NEXT' | 'ERROR';

/** A received frame. The next frame overwrites it. */
export interface Frame {
  readonly kind: FrameKind;
  /** Further fragments of the same message follow. */
  readonly more: boolean;
  /** The answer is complete. Only on the final fragment of NEXT. */
  readonly last: boolean;
  /** The length of the whole message, on the first of several fragments; 0 on every other frame. */
  readonly total: number;
  readonly stream: number;
  /** The fragment is the part of `body` from `start` to `end`. */
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
  /** Returns a copy of the sealed record, shared by the frames of that record; undefined if it is unknown. */
  copyOfRecord(): Buffer | undefined;
}

/** Returns whether this frame ends the answer. */
export function endsStream({ kind, more, last }: Pick<Frame, 'kind' | 'more' | 'last'>): boolean {
  return last || kind === 'COMPLETE' || kind === 'ACK' || (kind === 'ERROR' && !more);
}

/** One bit for each allowed combination of flags: bit 0 for no flag, bit 1 for MORE, bit 5 for FIRST and MORE. */
const NO_FLAGS = 1 << 0;
const FLAGS_OF_FRAGMENTS = NO_FLAGS | (1 << MORE) | (1 << (FIRST | MORE));
const ALLOWED_FLAGS: Readonly<Record<FrameKind, number>> = {
  REQUEST: FLAGS_OF_FRAGMENTS,
  EVENT: FLAGS_OF_FRAGMENTS,
  NEXT: FLAGS_OF_FRAGMENTS | (1 << LAST),
  ERROR: FLAGS_OF_FRAGMENTS,
  COMPLETE: NO_FLAGS,
  CANCEL: NO_FLAGS,
  ACK: NO_FLAGS,
};

/**
 * Writes the header of a frame, followed by the total if it has one.
 *
 * @returns The offset of the fragment.
 */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  kind: FrameKind,
  flags: number,
  stream: number,
  pieceBytes: number,
  total = 0,
): number {
  const length = (flags & FIRST) === 0 ? pieceBytes : TOTAL_BYTES + pieceBytes;
  target[at] = (flags << 4) | KIND_CODE[kind];
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
  target.writeUInt32BE(stream, at + 4);
  if ((flags & FIRST) === 0) return at + FRAME_HEADER_BYTES;
  return target.writeUInt32BE(total, at + FRAME_HEADER_BYTES);
}

/** Reads the frames of a DATA record into one object, because a record can have thousands of frames. */
export class FrameReader implements Frame {
  kind: FrameKind = 'REQUEST';
  more = false;
  last = false;
  total = 0;
  stream = 0;
  start = 0;
  end = 0;
  readonly body: Buffer;
  readonly #record: Buffer | undefined;
  #copy: Buffer | undefined;

  /** @param body - At least one frame. @param record - E ‖ T of the record, valid while its frames are received. */
  constructor(body: Buffer, record?: Buffer) {
    this.body = body;
    this.#record = record;
  }

  copyOfRecord(): Buffer | undefined {
    this.#copy ??= this.#record && Buffer.alloc(this.#record.length, this.#record);
    return this.#copy;
  }

  /**
   * Reads the next frame.
   *
   * @returns False after the last one.
   * @throws {TransportError} `ERR_FRAME_MALFORMED` - truncated, an unknown kind or flag, or a form that its kind cannot
   *   have.
   */
  next(): boolean {
    const { body, end: at } = this;
    if (at === body.length) return false;
    if (body.length - at < FRAME_HEADER_BYTES) throw malformed('its header is truncated');
    const first = body.readUInt8(at);
    const kind = KINDS[first & 0x0f];
    if (kind === undefined) throw malformed('its kind is unknown');
    this.kind = kind;
    this.stream = body.readUInt32BE(at + 4);
    if (this.stream === 0) throw malformed('its stream is 0');
    this.start = at + FRAME_HEADER_BYTES;
    this.end = this.start + (body.readUInt8(at + 1) << 16) + body.readUInt16BE(at + 2);
    if (this.end > body.length) throw malformed('its payload is truncated');
    this.#readForm(kind, first >> 4);
    return true;
  }

  #readForm(kind: FrameKind, flags: number): void {
    if ((ALLOWED_FLAGS[kind] & (1 << flags)) === 0) throw malformed(`its flags are not allowed for ${kind}`);
    const isEmpty = this.end === this.start;
    if (isEmpty !== (ALLOWED_FLAGS[kind] === NO_FLAGS))
      throw malformed(`${kind} ${isEmpty ? 'must have a' : 'must not have a'} payload`);
    this.more = (flags & MORE) !== 0;
    this.last = (flags & LAST) !== 0;
    this.total = (flags & FIRST) === 0 ? 0 : this.#readTotal();
  }

  #readTotal(): number {
    if (this.end - this.start <= TOTAL_BYTES) throw malformed('the first fragment has no data');
    const total = this.body.readUInt32BE(this.start);
    this.start += TOTAL_BYTES;
    if (total <= MAX_WHOLE_BYTES) throw malformed('the first fragment belongs to a message that fits into one frame');
    if (this.end - this.start >= total) throw malformed('the first fragment already contains the whole message');
    return total;
  }
}

function malformed(what: string): TransportError {
  return new TransportError('ERR_FRAME_MALFORMED', `Malformed frame: ${what}`);
}
