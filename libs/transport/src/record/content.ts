// What a record says once it is open (docs/protocol.md §5.2):   inner = type(1) ‖ body
import { TransportError } from '../errors.js';
import { framesBytes, writeFrames } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';

import { MAX_INNER_BYTES } from './record.js';

const TYPE_BYTES = 1;
export const PING_TOKEN_BYTES = 8;
/** How many bytes of frames one DATA record carries at most. */
export const MAX_DATA_BYTES = MAX_INNER_BYTES - TYPE_BYTES;

const TYPE_OF = { DATA: 1, KEY_UPDATE: 2, CLOSE: 3, GOAWAY: 4, PING: 5, PONG: 6, CONFIRM: 7 } as const;

/** Why a side closes. */
export const CLOSE_CODE = { done: 0, goingAway: 1, idle: 2, limit: 3 } as const;
export type CloseReason = keyof typeof CLOSE_CODE;

export type RecordContent =
  | { readonly type: 'DATA'; readonly frames: Buffer }
  | { readonly type: 'CLOSE'; readonly reason: CloseReason }
  | { readonly type: 'PING' | 'PONG'; readonly token: Buffer }
  | { readonly type: 'KEY_UPDATE' | 'GOAWAY' | 'CONFIRM' };

/** What is to be sealed: frames may still be apart. */
export type OutgoingContent = RecordContent | { readonly type: 'DATA'; readonly frames: readonly Frame[] };

export function encodeContent(content: OutgoingContent): Buffer {
  const inner = Buffer.allocUnsafe(contentBytes(content));
  writeContent(inner, content);
  return inner;
}

/** How many bytes {@link writeContent} writes. */
export function contentBytes(content: OutgoingContent): number {
  switch (content.type) {
    case 'DATA':
      return TYPE_BYTES + (Buffer.isBuffer(content.frames) ? content.frames.length : framesBytes(content.frames));
    case 'CLOSE':
      return TYPE_BYTES + 1;
    case 'PING':
    case 'PONG':
      return TYPE_BYTES + content.token.length;
    case 'KEY_UPDATE':
    case 'GOAWAY':
    case 'CONFIRM':
      return TYPE_BYTES;
  }
}

/** Writes type and body to the start of `target`. */
export function writeContent(target: Buffer, content: OutgoingContent): void {
  target[0] = TYPE_OF[content.type];
  switch (content.type) {
    case 'DATA':
      if (Buffer.isBuffer(content.frames)) target.set(content.frames, TYPE_BYTES);
      else writeFrames(target, TYPE_BYTES, content.frames);
      return;
    case 'CLOSE':
      target[TYPE_BYTES] = CLOSE_CODE[content.reason];
      return;
    case 'PING':
    case 'PONG':
      target.set(content.token, TYPE_BYTES);
      return;
    case 'KEY_UPDATE':
    case 'GOAWAY':
    case 'CONFIRM':
      return;
  }
}

/** @throws {TransportError} `ERR_RECORD_MALFORMED` - an unknown type, or a body that this type cannot have. */
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
      if (body.length === 0) return { type: 'CONFIRM' };
      break;
  }
  throw malformed(inner);
}

function decodeCloseReason(body: Buffer): CloseReason {
  const reasons = Object.keys(CLOSE_CODE) as readonly CloseReason[];
  const reason = reasons.find((name) => CLOSE_CODE[name] === body[0]);
  if (reason === undefined || body.length !== 1) throw malformed(body);
  return reason;
}

function malformed(bytes: Buffer): TransportError {
  return new TransportError(
    'ERR_RECORD_MALFORMED',
    `A record of ${bytes.length} bytes with a type or body that does not exist`,
  );
}
