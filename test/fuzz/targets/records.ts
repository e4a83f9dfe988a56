// docs/protocol.md §5: records as bytes, as sealed bytes, and what they say.
import { decodeContent } from '../../../libs/channel/src/record/content.js';
import type { RecordContent } from '../../../libs/channel/src/record/content.js';
import { OpeningHalf, SealingHalf } from '../../../libs/channel/src/record/half-connection.js';
import { eachRecordBody } from '../../support/record-bodies.js';
import { RecordDecoder } from '../../../libs/channel/src/record/record.js';
import { mutate, pieces } from '../mutate.js';
import { hashText, Random } from '../../support/random.js';
import { codeOf, hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { anyFrames } from './frames.js';
import type { Origin } from './frames.js';
import { encodeContent } from '../../support/frames.js';
import { sealRecord } from '../../support/seal-record.js';

export const KEY_LIMITS = {
  softBytes: 2 ** 30,
  hardBytes: 2 ** 32,
  softRecords: 2 ** 20,
  hardRecords: 2 ** 22,
  softAgeMs: Infinity,
  hardAgeMs: Infinity,
};
const TRAFFIC_KEY = Buffer.alloc(32, 7);
const LENGTHS = [0, 16, 32, 32, 48, 64, 4096, 65_520, 65_521, 65_536 - 16] as const;

/** Everything that a stream of bytes is cut into, and the code that ended it. */
function cutInto(chunks: Iterable<Buffer>): string {
  const seen: string[] = [];
  const decoder = new RecordDecoder();
  try {
    for (const chunk of chunks) for (const body of eachRecordBody(decoder, chunk)) seen.push(body.toString('latin1'));
    return [...seen, decoder.isPartial ? 'partial' : OK].join('\n');
  } catch (error) {
    return [...seen, codeOf(error)].join('\n');
  }
}

/** The same without the decoder: [R5.1]. */
function cutAlone(stream: Buffer): string {
  const seen: string[] = [];
  for (let rest = stream; ;) {
    if (rest.length < 2) return [...seen, rest.length === 0 ? OK : 'partial'].join('\n');
    const length = rest.readUInt16BE(0);
    if (length < 32 || length > 65_520 || length % 16 !== 0) return [...seen, 'ERR_RECORD_LENGTH'].join('\n');
    if (rest.length < 2 + length) return [...seen, 'partial'].join('\n');
    seen.push(rest.toString('latin1', 2, 2 + length));
    rest = rest.subarray(2 + length);
  }
}

export const records: Target = {
  name: 'records',
  codes: ['ERR_RECORD_LENGTH'],
  make(random) {
    const parts: Buffer[] = [];
    for (let left = random.below(6); left > 0; left--) {
      const length = random.oneIn(3) ? random.below(65_536) : random.pick(LENGTHS);
      const body = Buffer.alloc(random.oneIn(8) ? random.below(200) : length <= 4096 ? length : 100, left);
      parts.push(Buffer.of(length >> 8, length), body);
    }
    const stream = Buffer.concat(parts);
    return random.oneIn(3) ? mutate(stream, random) : stream;
  },
  run(input) {
    const whole = cutInto([input]);
    const random = new Random(hashText(whole), input.length);
    const most = random.pick([1, 3, 40, 1000]);
    hold(cutAlone(input) === whole, 'other records than are in it');
    hold(cutInto(pieces(input, most, random)) === whole, `pieces of up to ${most} bytes are not the same`);
    return whole.endsWith('ERR_RECORD_LENGTH') ? 'ERR_RECORD_LENGTH' : OK;
  },
};

export const sealed: Target = {
  name: 'sealed records',
  codes: ['ERR_BAD_MAC'],
  make(random) {
    const n = random.below(4);
    const sealing = new SealingHalf(TRAFFIC_KEY, KEY_LIMITS, 0, n);
    const record = sealRecord(sealing, random.bytes(1 + random.below(200)));
    return Buffer.concat([Buffer.of(random.oneIn(3) ? random.below(4) : n), mutate(record.subarray(2), random)]);
  },
  run(input) {
    const n = (input[0] ?? 0) % 4;
    const body = input.subarray(1);
    const opening = new OpeningHalf(TRAFFIC_KEY, KEY_LIMITS, 0, n);
    return outcomeOf(() => {
      const inner = opening.open(body, 0);
      const again = sealRecord(new SealingHalf(TRAFFIC_KEY, KEY_LIMITS, 0, n), inner);
      hold(again.subarray(2).equals(body), 'what opens is not what was sealed');
    });
  },
};

/** The plaintext of a record: honest, nearly so, or anything. */
export function anyInner(random: Random, from?: Origin): Buffer {
  const contents: readonly [RecordContent, ...RecordContent[]] = [
    { type: 'DATA', frames: Buffer.of(1) },
    { type: 'PING', token: Buffer.alloc(8, 1) },
    { type: 'PONG', token: Buffer.alloc(8, 1) },
    { type: 'KEY_UPDATE' },
    { type: 'GOAWAY' },
    { type: 'CLOSE', reason: random.pick(['done', 'goingAway', 'idle', 'limit']) },
    { type: 'CONFIRM', body: Buffer.alloc(78, 1) },
    { type: 'CREDIT', taken: random.oneIn(2) ? random.below(2 ** 20) : Number.MAX_SAFE_INTEGER - random.below(2) },
  ];
  if (!random.oneIn(8)) return Buffer.concat([Buffer.of(1), anyFrames(random, from)]);
  const inner = encodeContent(random.pick(contents));
  return random.oneIn(16) ? mutate(inner, random) : inner;
}

export const contents: Target = {
  name: 'contents',
  codes: ['ERR_RECORD_MALFORMED'],
  make: (random) => (random.oneIn(4) ? mutate(anyInner(random), random) : anyInner(random)),
  run: (input) =>
    outcomeOf(() => hold(encodeContent(decodeContent(input)).equals(input), 'another content than was read')),
};
