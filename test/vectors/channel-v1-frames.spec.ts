// The frames of the published reference values, written by our encoders and sealed with their keys. The file is read in place.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { KIND_CODE, LAST } from '../../libs/transport/src/frame/frame.js';
import { encodeEvent, encodeRequest } from '../../libs/transport/src/frame/message.js';
import { encodeData } from '../../libs/transport/src/frame/payload.js';
import { FrameSender, SendingStream } from '../../libs/transport/src/frame/sender.js';
import { SealingHalf } from '../../libs/transport/src/record/half-connection.js';
import { bytesOf, encodeFrames, plainFrame } from '../support/frames.js';

const FILE = new URL('../../../shared/vectors/channel-v1-revised.json', import.meta.url);
const ROOM = 65_502;

interface Vector {
  readonly n: number;
  readonly says: string;
  readonly inner?: string;
  readonly innerSha256?: string;
  readonly record?: string;
  readonly recordSha256?: string;
}

interface Vectors {
  readonly keyClientToServer: string;
  readonly keyServerToClient: string;
  readonly clientToServer: readonly Vector[];
  readonly serverToClient: readonly Vector[];
}

const LIMITS = {
  softBytes: 2 ** 30,
  hardBytes: 2 ** 32,
  softRecords: 2 ** 20,
  hardRecords: 2 ** 22,
  softAgeMs: 1e9,
  hardAgeMs: 1e9,
};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A request of several frames, as a client that has opened two streams before it writes them. */
function cutRequest(): readonly Buffer[] {
  const sender = new FrameSender<SendingStream>(2 ** 30, 3);
  // Its head is 10 bytes: timeout, pattern with its length, length of no metadata, encoding.
  const data = Buffer.from(Array.from({ length: 70_000 - 10 }, (_, i) => i % 251));
  sender.sendMessage(new SendingStream(0), 'REQUEST', encodeRequest({ timeoutMs: 0, pattern: 'b', data }));
  return [1, 2].map(() => {
    const record = Buffer.alloc(ROOM);
    return record.subarray(0, sender.writeNext(record, 0, ROOM));
  });
}

const TEXT = 'é'.repeat(600);
const event = encodeEvent({
  pattern: '{"cmd":"note"}',
  metadata: { traceparent: '00-1' },
  data: { text: TEXT, n: 7 },
});
const [firstPiece = Buffer.alloc(0), lastPiece = Buffer.alloc(0)] = cutRequest();

/** The bodies of the DATA records, by direction and n. */
const BODIES: Readonly<Record<'clientToServer' | 'serverToClient', Readonly<Record<number, Buffer>>>> = {
  clientToServer: {
    1: encodeFrames([
      plainFrame('REQUEST', 1, {
        payload: bytesOf(encodeRequest({ timeoutMs: 1_500, pattern: 'sum', data: [1, 2, 3] })),
      }),
    ]),
    2: encodeFrames([plainFrame('EVENT', 2, { payload: bytesOf(event) })]),
    3: firstPiece,
    4: lastPiece,
    8: encodeFrames([plainFrame('CANCEL', 1)]),
  },
  serverToClient: {
    0: encodeFrames([plainFrame('NEXT', 1, { last: true, payload: bytesOf(encodeData(6)) }), plainFrame('ACK', 2)]),
    // A text as short as that is JSON here; its frame is written by hand.
    1: Buffer.concat([
      Buffer.of(LAST * 16 + KIND_CODE.NEXT, 0, 0, 9, 0, 0, 0, 3),
      Buffer.of(4),
      Buffer.from('done ✓'),
    ]),
    2: encodeFrames([
      plainFrame('ERROR', 4, {
        payload: bytesOf(
          encodeData({ status: 'error', message: 'The server is overloaded', code: 'ERR_OVERLOADED' }),
        ),
      }),
    ]),
  },
};

const isThere = existsSync(FILE);
if (!isThere) console.warn(`Skipped: ${FILE.pathname} is missing`);

describe.skipIf(!isThere).each(['clientToServer', 'serverToClient'] as const)('the frames of %s', (direction) => {
  const vectors = isThere ? (JSON.parse(readFileSync(FILE, 'utf8')) as Vectors) : undefined;

  it('are written byte for byte', () => {
    const compared = vectors?.[direction].filter(({ n }) => n in BODIES[direction]) ?? [];
    expect(compared).toHaveLength(Object.keys(BODIES[direction]).length);
    for (const { n, says, inner, innerSha256 } of compared) {
      const made = Buffer.concat([Buffer.of(1), BODIES[direction][n] ?? Buffer.alloc(0)]);
      if (inner === undefined) expect(sha256(made), says).toBe(innerSha256);
      else expect(made.toString('hex'), says).toBe(inner);
    }
  });

  it('are sealed byte for byte', () => {
    const key = direction === 'clientToServer' ? vectors?.keyClientToServer : vectors?.keyServerToClient;
    for (const { n, says, record, recordSha256 } of vectors?.[direction] ?? []) {
      const body = BODIES[direction][n];
      if (body === undefined || says.startsWith('KEY_UPDATE') || n > 5) continue;
      const half = new SealingHalf(Buffer.from(key ?? '', 'hex'), LIMITS, 0, n);
      const made = half.seal(Buffer.concat([Buffer.of(1), body]));
      if (record === undefined) expect(sha256(made), says).toBe(recordSha256);
      else expect(made.toString('hex'), says).toBe(record);
    }
  });
});
