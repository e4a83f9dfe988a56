// docs/protocol.md §6.1 to §6.3: frames, heads, data and JSON.
import { decodeFrames, encodeFrames } from '../../../libs/transport/src/frame/frame.js';
import type { Frame } from '../../../libs/transport/src/frame/frame.js';
import { parseJson as parseChannelJson } from '../../../libs/transport/src/frame/json.js';
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
  writeSequence,
} from '../../../libs/transport/src/frame/message.js';
import { decodeData, encodeData } from '../../../libs/transport/src/frame/payload.js';
import { mutate } from '../mutate.js';
import type { Random } from '../random.js';
import { hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { anyJson, judgeJson } from './json.js';

/** Who sends a frame: which side, and on which streams. */
export interface Origin {
  readonly side: 'client' | 'server';
  stream(opens: boolean): number;
}

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
  const flags = isSignal || random.oneIn(2) ? 0 : random.below(random.oneIn(32) ? 256 : kind === 3 ? 3 : 2);
  const payload = isSignal && !random.oneIn(32) ? Buffer.alloc(0) : anyPayload(kind, random);
  const stream = isOdd ? (random.oneIn(64) ? random.u32() : random.below(12)) : from.stream(kind <= 2);
  const header = Buffer.alloc(8);
  header[0] = kind;
  header[1] = flags;
  header.writeUInt16BE(payload.length, 2);
  header.writeUInt32BE(stream, 4);
  return Buffer.concat([header, payload]);
}

function anyPayload(kind: number, random: Random): Buffer {
  if (random.oneIn(4)) return random.bytes(1 + random.below(30));
  return kind <= 2 ? anyMessage(random) : encodeData(random.below(1000));
}

/** A request or an event. */
export function anyMessage(random: Random): Buffer {
  const metadata = random.oneIn(2) ? undefined : { trace: 'x'.repeat(random.below(20)) };
  const call = { pattern: random.pick(['echo', '{"cmd":"sum"}', '', 'größe']), metadata };
  const data = random.oneIn(8) ? random.bytes(random.below(40)) : random.below(1000);
  if (random.oneIn(2)) return encodeRequest({ ...call, data, timeoutMs: random.u32() });
  const event = encodeEvent({ ...call, data });
  writeSequence(event, random.below(100));
  return event;
}

/** [R6.2] */
function isWellFormed({ kind, more, last, stream, payload }: Frame): boolean {
  const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
  const mayBeLast = kind === 'NEXT' && !more;
  return stream > 0 && isSignal === (payload.length === 0) && !(isSignal && more) && (mayBeLast || !last);
}

export const frames: Target = {
  name: 'frames',
  codes: ['ERR_FRAME_MALFORMED'],
  make: (random) => (random.oneIn(8) ? random.bytes(random.below(60)) : anyFrames(random)),
  run: (input) =>
    outcomeOf(() => {
      const decoded = [...decodeFrames(input)];
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
      hold(metadata === undefined || typeof metadata === 'object', 'metadata that is no object');
    });
    const request = outcomeOf(() => {
      const decoded = decodeRequest(input);
      const again = decodeRequest(encodeRequest(decoded));
      hold(JSON.stringify(again) === JSON.stringify(decoded), 'another request than was read');
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
