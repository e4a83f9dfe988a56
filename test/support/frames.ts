// Frames as plain values, for tests that look at them one by one.
import { FrameReader, FIRST, LAST, MORE, writeFrameHeader } from '../../libs/channel/src/frame/frame.js';
import type { Frame, FrameKind } from '../../libs/channel/src/frame/frame.js';
import { OutgoingMessage } from '../../libs/channel/src/sending/outgoing-message.js';
import type { Streams } from '../../libs/channel/src/streams/streams.js';
import { writeContent } from '../../libs/channel/src/record/content.js';
import type { RecordContent } from '../../libs/channel/src/record/content.js';

const RECORD_BYTES = 65_502;

export interface PlainFrame {
  readonly kind: FrameKind;
  readonly more: boolean;
  readonly last: boolean;
  /** 0 on every frame but the first of several. */
  readonly total: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A whole message of one byte, or a signal, unless `fields` say otherwise. */
export function plainFrame(kind: FrameKind, stream: number, fields: Partial<PlainFrame> = {}): PlainFrame {
  const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
  return {
    kind,
    stream,
    more: false,
    last: false,
    total: 0,
    payload: isSignal ? Buffer.alloc(0) : Buffer.of(2),
    ...fields,
  };
}

/** As the streams are given it. */
export function asReceived({ payload, ...frame }: PlainFrame): Frame {
  return { ...frame, body: payload, start: 0, end: payload.length, copyOfRecord: () => undefined };
}

/** The body of one DATA record. */
export function encodeFrames(frames: readonly PlainFrame[]): Buffer {
  return Buffer.concat(frames.map(encodeFrame));
}

function encodeFrame({ kind, more, last, total, stream, payload }: PlainFrame): Buffer {
  const flags = (more ? MORE : 0) | (last ? LAST : 0) | (total > 0 ? FIRST : 0);
  const header = Buffer.alloc(12);
  const bytes = writeFrameHeader(header, 0, kind, flags, stream, payload.length, total);
  return Buffer.concat([header.subarray(0, bytes), payload]);
}

export function decodeFrames(body: Buffer): PlainFrame[] {
  const frames: PlainFrame[] = [];
  const reader = new FrameReader(body);
  while (reader.next()) {
    const { kind, more, last, total, stream, start, end } = reader;
    frames.push({ kind, more, last, total, stream, payload: body.subarray(start, end) });
  }
  return frames;
}

/** A source of frames: streams, or a sender alone. */
type FrameWriter = Pick<Streams, 'writeFrame'>;

/** The next frame, if there is one that fits. */
export function nextFrame(streams: FrameWriter, roomBytes = RECORD_BYTES): PlainFrame | undefined {
  const record = Buffer.alloc(roomBytes);
  const bytes = streams.writeFrame(record, 0, roomBytes);
  return bytes === 0 ? undefined : decodeFrames(record.subarray(0, bytes))[0];
}

/** Every frame that the streams have to send now. */
export function drainFrames(streams: FrameWriter): PlainFrame[] {
  const frames: PlainFrame[] = [];
  for (let next = nextFrame(streams); next !== undefined; next = nextFrame(streams)) frames.push(next);
  return frames;
}

/** A message of these bytes. */
export function messageOf(bytes: Buffer): OutgoingMessage {
  return new OutgoingMessage(bytes.subarray(0, 1), bytes.subarray(1));
}

export function bytesOf(message: OutgoingMessage): Buffer {
  const bytes = Buffer.alloc(message.bytes);
  message.write(bytes, 0);
  return bytes;
}

/** The plaintext of a record. */
export function encodeContent(content: RecordContent): Buffer {
  const inner = Buffer.alloc(RECORD_BYTES + 1);
  if (content.type !== 'DATA') return inner.subarray(0, writeContent(inner, content));
  const { frames } = content;
  const source = { writeFrames: (target: Buffer, at: number) => frames.copy(target, at) };
  return inner.subarray(0, writeContent(inner, { type: 'DATA', frames: source }));
}
