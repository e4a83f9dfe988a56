// The plaintext of every record of channel-v1.json, written by our encoders. Records that are too long to be printed are in
// the file as hashes alone.
import { A128CBC_HS256 } from '@sealwire/crypto/internal';

import { KIND_CODE, LAST } from '../../libs/channel/src/frame/frame.js';
import { encodeEvent, encodeRequest } from '../../libs/transport/src/packet/message.js';
import { encodeData } from '../../libs/transport/src/packet/payload.js';
import { FrameSender } from '../../libs/channel/src/sending/sender.js';
import { SendingStream } from '../../libs/channel/src/sending/sending-stream.js';
import { bytesOf, encodeContent, encodeFrames, plainFrame } from '../support/frames.js';
import file from './channel-v1.json' with { type: 'json' };

export const DIRECTIONS = ['clientToServer', 'serverToClient'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface RecordVector {
  readonly n: number;
  readonly says: string;
  readonly inner?: string;
  readonly innerSha256?: string;
  readonly record?: string;
  readonly recordSha256?: string;
}

export const recordVectors: Readonly<Record<Direction, readonly RecordVector[]>> = file;

const ROOM = 65_502;
const TOKEN = Buffer.from('0102030405060708', 'hex');
const data = (...frames: Parameters<typeof encodeFrames>[0]): Buffer => dataOf(encodeFrames(frames));
const dataOf = (frames: Buffer): Buffer => Buffer.concat([Buffer.of(1), frames]);

const credit = (taken: number): Buffer => encodeContent({ type: 'CREDIT', taken });

/** A request of several frames, as a client that has opened two streams before it writes them. */
function cutRequest(): readonly [first: Buffer, last: Buffer] {
  const sender = new FrameSender<SendingStream>(2 ** 30, 3);
  // Its head is 10 bytes: timeout, pattern with its length, length of no metadata, encoding.
  const bytes = Buffer.from(Array.from({ length: 70_000 - 10 }, (_, i) => i % 251));
  sender.sendMessage(new SendingStream(0), 'REQUEST', encodeRequest({ timeoutMs: 0, pattern: 'b', data: bytes }));
  const next = (): Buffer => {
    const record = Buffer.alloc(ROOM);
    return record.subarray(0, sender.writeNext(record, 0, ROOM));
  };
  return [next(), next()];
}

const [firstPiece, lastPiece] = cutRequest();
const request = encodeRequest({ timeoutMs: 1_500, pattern: 'sum', data: [1, 2, 3] });
const event = encodeEvent({
  pattern: '{"cmd":"note"}',
  metadata: { traceparent: '00-1' },
  data: { text: 'é'.repeat(600), n: 7 },
});
const error = encodeData({ status: 'error', message: 'The server is overloaded', code: 'ERR_OVERLOADED' });
/** A text as short as that is JSON here; its frame is written by hand. */
const shortText = [Buffer.of(LAST * 16 + KIND_CODE.NEXT, 0, 0, 9, 0, 0, 0, 3, 4), Buffer.from('done ✓')];

const clientData = [
  data(plainFrame('REQUEST', 1, { payload: bytesOf(request) })),
  data(plainFrame('EVENT', 2, { payload: bytesOf(event) })),
  dataOf(firstPiece),
  dataOf(lastPiece),
];

/** @param confirm - The body of CONFIRM, as the handshake makes it. */
export function innersOf(direction: Direction, confirm: Buffer): readonly Buffer[] {
  if (direction === 'serverToClient') {
    const value = bytesOf(encodeData(6));
    return [
      data(plainFrame('NEXT', 1, { last: true, payload: value }), plainFrame('ACK', 2)),
      dataOf(Buffer.concat(shortText)),
      data(plainFrame('ERROR', 4, { payload: bytesOf(error) })),
      credit(clientData.reduce((sum, inner) => sum + A128CBC_HS256.sealedBytes(inner.length), 0)),
      encodeContent({ type: 'PONG', token: TOKEN }),
      encodeContent({ type: 'GOAWAY' }),
      encodeContent({ type: 'CLOSE', reason: 'done' }),
    ];
  }
  return [
    encodeContent({ type: 'CONFIRM', body: confirm }),
    ...clientData,
    encodeContent({ type: 'PING', token: TOKEN }),
    encodeContent({ type: 'KEY_UPDATE' }),
    credit(131_088),
    data(plainFrame('CANCEL', 1)),
    encodeContent({ type: 'CLOSE', reason: 'done' }),
  ];
}
