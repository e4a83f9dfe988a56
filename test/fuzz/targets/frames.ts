// docs/protocol.md §6.1 to §6.3: frames, heads, data and JSON.
import { parseJson as parseChannelJson } from '../../../libs/transport/src/packet/json.js';
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from '../../../libs/transport/src/packet/message.js';
import { decodeData, encodeData } from '../../../libs/transport/src/packet/payload.js';
import { bytesOf, decodeFrames, encodeFrames } from '../../support/frames.js';
import type { PlainFrame } from '../../support/frames.js';
import { mutate } from '../mutate.js';
import type { Random } from '../../support/random.js';
import { hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { anyJson, judgeJson } from './json.js';

/** The sender of a frame: which side, and on which streams. */
export interface Origin {
  readonly side: 'client' | 'server';
  stream(opens: boolean): number;
}

const ALL_FLAGS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
/** The kinds that a side may send. */
const KINDS_OF = { client: [1, 1, 2, 6], server: [3, 3, 4, 5, 7] } as const;

/** One to five frames of which each may be anything; most are what `from` may send. */
export function anyFrames(random: Random, from?: Origin): Buffer {
  const frames = Array.from({ length: 1 + random.below(5) }, () => anyFrame(random, from));
  return random.oneIn(32) ? mutate(Buffer.concat(frames), random) : Buffer.concat(frames);
}

function anyFrame(random: Random, from: Origin | undefined): Buffer {
  const isOdd = from === undefined || random.oneIn(64);
  const kind = isOdd ? random.below(random.oneIn(16) ? 256 : 8) : random.pick(KINDS_OF[from.side]);
  const isSignal = kind >= 5 && kind <= 7;
  const flags =
    isSignal || random.oneIn(2) ? 0 : random.pick(random.oneIn(32) ? ALL_FLAGS : kind === 3 ? [1, 2, 5] : [1, 5]);
  const payload = isSignal && !random.oneIn(32) ? Buffer.alloc(0) : anyPayload(kind, random);
  const total = (flags & 4) === 0 || random.oneIn(32) ? Buffer.alloc(0) : anyTotal(random);
  const stream = isOdd ? (random.oneIn(64) ? random.u32() : random.below(12)) : from.stream(kind <= 2);
  const header = Buffer.alloc(8);
  header[0] = ((flags << 4) | (kind & 0x0f)) & 0xff;
  header.writeUIntBE(total.length + payload.length, 1, 3);
  header.writeUInt32BE(stream, 4);
  return Buffer.concat([header, total, payload]);
}

/** Of a message of several frames; often one of few bytes more than one frame holds, rarely one that would fit. */
function anyTotal(random: Random): Buffer {
  const total = Buffer.alloc(4);
  total.writeUInt32BE(random.oneIn(16) ? random.u32() : 65_494 + random.below(40));
  return total;
}

function anyPayload(kind: number, random: Random): Buffer {
  if (random.oneIn(4)) return random.bytes(1 + random.below(30));
  return kind <= 2 ? anyMessage(random) : bytesOf(encodeData(random.below(1000)));
}

/** A request or an event. */
export function anyMessage(random: Random): Buffer {
  const metadata = random.oneIn(2) ? undefined : { trace: 'x'.repeat(random.below(20)) };
  const call = { pattern: random.pick(['echo', '{"cmd":"sum"}', '', 'größe']), metadata };
  const data = random.oneIn(8) ? random.bytes(random.below(40)) : random.below(1000);
  if (random.oneIn(2)) return bytesOf(encodeRequest({ ...call, data, timeoutMs: random.u32() }));
  const event = encodeEvent({ ...call, data });
  event.prefix = random.below(100);
  return bytesOf(event);
}

/** [R6.2] */
function isWellFormed({ kind, more, last, total, stream, payload }: PlainFrame): boolean {
  const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
  const mayBeLast = kind === 'NEXT' && !more;
  const mayBeFirst = total === 0 || (more && total > Math.max(65_494, payload.length));
  return stream > 0 && mayBeFirst && isSignal === (payload.length === 0) && !(isSignal && more) && (mayBeLast || !last);
}

export const frames: Target = {
  name: 'frames',
  codes: ['ERR_FRAME_MALFORMED'],
  make: (random) => (random.oneIn(8) ? random.bytes(random.below(60)) : anyFrames(random)),
  run: (input) =>
    outcomeOf(() => {
      const decoded = decodeFrames(input);
      hold(encodeFrames(decoded).equals(input), 'other frames than were read');
      hold(decoded.every(isWellFormed), 'a frame of a form that its kind cannot have');
    }),
};

export const messages: Target = {
  name: 'messages',
  codes: ['ERR_MESSAGE_MALFORMED'],
  make: (random) => (random.oneIn(3) ? anyMessage(random) : mutate(anyMessage(random), random)),
  run(input) {
    const event = outcomeOf(() => {
      const { sequence, metadata } = decodeEvent(input);
      hold(Number.isSafeInteger(sequence), 'a sequence that is not exact');
      hold(metadata === undefined || typeof metadata === 'object', 'metadata that is not an object');
    });
    const request = outcomeOf(() => {
      const { weight, ...decoded } = decodeRequest(input);
      hold(weight > 0, 'a request that weighs nothing');
      const again = decodeRequest(bytesOf(encodeRequest(decoded)));
      // Another encoding may weigh more or less.
      hold(
        JSON.stringify({ ...again, weight }) === JSON.stringify({ ...decoded, weight }),
        'another request than was read',
      );
    });
    return request === event ? request : OK;
  },
};

export const data: Target = {
  name: 'data',
  codes: ['ERR_MESSAGE_MALFORMED'],
  make: (random) => Buffer.concat([Buffer.of(random.oneIn(16) ? random.below(256) : random.below(3)), anyJson(random)]),
  run: (input) =>
    outcomeOf(() => {
      const value = decodeData(input);
      if (input[0] === 1) hold(input.subarray(1).equals(value as Buffer), 'other bytes than were sent');
      if (input[0] === 2) hold(value === undefined && input.length === 1, 'bytes behind no value');
    }),
};

export const channelJson: Target = {
  name: 'JSON',
  codes: ['ERR_MESSAGE_MALFORMED'],
  make: anyJson,
  run(input) {
    const outcome = outcomeOf(() => parseChannelJson(input));
    const verdict = judgeJson(input);
    hold(verdict === undefined || verdict === (outcome === OK), `${outcome}, against the model`);
    return outcome;
  },
};
