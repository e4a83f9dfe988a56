// The content of an opened record (docs/protocol.md §5.2):   inner = type(1) ‖ body
import { TransportError } from '../errors.js';
import { MAX_INNER_BYTES, SUITE } from './record.js';

const TYPE_BYTES = 1;
export const PING_TOKEN_BYTES = 8;
/** Instance key, proof and announcement: docs/protocol.md §4.8. */
export const CONFIRM_BODY_BYTES = 78;
const TAKEN_BYTES = 8;
const TWO_TO_32 = 0x1_0000_0000;
/** The maximum bytes of frames in one DATA record. */
export const MAX_DATA_BYTES = MAX_INNER_BYTES - TYPE_BYTES;

const TYPE_OF = { DATA: 1, KEY_UPDATE: 2, CLOSE: 3, GOAWAY: 4, PING: 5, PONG: 6, CONFIRM: 7, CREDIT: 8 } as const;

/** The reasons for closing. */
export const CLOSE_CODE = { done: 0, goingAway: 1, idle: 2, limit: 3 } as const;
export type CloseReason = keyof typeof CLOSE_CODE;

export type RecordContent = { readonly type: 'DATA'; readonly frames: Buffer } | ControlContent;

export type ControlContent =
  | { readonly type: 'CLOSE'; readonly reason: CloseReason }
  | { readonly type: 'PING' | 'PONG'; readonly token: Buffer }
  | { readonly type: 'CONFIRM'; readonly body: Buffer }
  /** `taken`: the sum of the `length` fields of all DATA records that the sender of CREDIT has received. */
  | { readonly type: 'CREDIT'; readonly taken: number }
  | { readonly type: 'KEY_UPDATE' | 'GOAWAY' };

/** A content to seal. The frames of DATA are written straight into the record. */
export type OutgoingContent = ControlContent | { readonly type: 'DATA'; readonly frames: FrameSource };

export interface FrameSource {
  /**
   * Writes the frames of one record to `target`, which has {@link MAX_DATA_BYTES} from `at` on.
   *
   * @returns The bytes written; 0 if there is nothing to send, so that no record is needed.
   */
  writeFrames(target: Buffer, at: number): number;
}

/** Returns the `length` field of a DATA record with this many bytes of frames. */
export function dataLength(frameBytes: number): number {
  return SUITE.sealedBytes(TYPE_BYTES + frameBytes);
}

/**
 * Writes type and body to the start of `target`, which has {@link MAX_INNER_BYTES}.
 *
 * @returns The bytes written; 0 if there is nothing to seal.
 */
export function writeContent(target: Buffer, content: OutgoingContent): number {
  target[0] = TYPE_OF[content.type];
  switch (content.type) {
    case 'DATA': {
      const bytes = content.frames.writeFrames(target, TYPE_BYTES);
      return bytes === 0 ? 0 : TYPE_BYTES + bytes;
    }
    case 'CLOSE':
      target[TYPE_BYTES] = CLOSE_CODE[content.reason];
      return TYPE_BYTES + 1;
    case 'PING':
    case 'PONG':
      target.set(content.token, TYPE_BYTES);
      return TYPE_BYTES + content.token.length;
    case 'CONFIRM':
      target.set(content.body, TYPE_BYTES);
      return TYPE_BYTES + content.body.length;
    case 'CREDIT':
      target.writeUInt32BE(Math.floor(content.taken / TWO_TO_32), TYPE_BYTES);
      return target.writeUInt32BE(content.taken % TWO_TO_32, TYPE_BYTES + 4);
    case 'KEY_UPDATE':
    case 'GOAWAY':
      return TYPE_BYTES;
  }
}

/** @throws {TransportError} `ERR_RECORD_MALFORMED` - an unknown type, or a body that its type cannot have. */
export function decodeContent(inner: Buffer): RecordContent {
  const body = inner.subarray(TYPE_BYTES);
  const type: number = inner[0] ?? 0;
  switch (type) {
    case TYPE_OF.DATA:
      if (body.length > 0) return { type: 'DATA', frames: body };
      break;
    case TYPE_OF.CLOSE:
      return { type: 'CLOSE', reason: decodeCloseReason(body) };
    case TYPE_OF.PING:
      if (body.length === PING_TOKEN_BYTES) return { type: 'PING', token: body };
      break;
    case TYPE_OF.PONG:
      if (body.length === PING_TOKEN_BYTES) return { type: 'PONG', token: body };
      break;
    case TYPE_OF.KEY_UPDATE:
      if (body.length === 0) return { type: 'KEY_UPDATE' };
      break;
    case TYPE_OF.GOAWAY:
      if (body.length === 0) return { type: 'GOAWAY' };
      break;
    case TYPE_OF.CONFIRM:
      if (body.length === CONFIRM_BODY_BYTES) return { type: 'CONFIRM', body };
      break;
    case TYPE_OF.CREDIT:
      return { type: 'CREDIT', taken: decodeTaken(body) };
  }
  throw malformed(inner);
}

/**
 * Returns whether a record is allowed under a key that is too old: only KEY_UPDATE, which replaces it, and CLOSE, the
 * last record.
 */
export function mayEndOldKey(inner: Buffer): boolean {
  return inner[0] === TYPE_OF.KEY_UPDATE || inner[0] === TYPE_OF.CLOSE;
}

function decodeCloseReason(body: Buffer): CloseReason {
  const reasons = Object.keys(CLOSE_CODE) as readonly CloseReason[];
  const reason = reasons.find((name) => CLOSE_CODE[name] === body[0]);
  if (reason === undefined || body.length !== 1) throw malformed(body);
  return reason;
}

function decodeTaken(body: Buffer): number {
  if (body.length !== TAKEN_BYTES) throw malformed(body);
  const taken = body.readUInt32BE(0) * TWO_TO_32 + body.readUInt32BE(4);
  if (!Number.isSafeInteger(taken)) throw malformed(body);
  return taken;
}

function malformed(bytes: Buffer): TransportError {
  return new TransportError(
    'ERR_RECORD_MALFORMED',
    `Malformed record of ${bytes.length} bytes: its type is unknown, or its body is invalid for its type`,
  );
}
