// What the messages of channel-v1.json mean to our decoders: docs/protocol.md §6.
import { describe, expect, it } from 'vitest';

import { decodeEvent, decodeRequest } from '../../libs/transport/src/packet/message.js';
import { decodeData } from '../../libs/transport/src/packet/payload.js';
import { decodeContent } from '../../libs/channel/src/record/content.js';
import { decodeFrames, encodeFrames } from '../support/frames.js';
import type { PlainFrame } from '../support/frames.js';
import { DIRECTIONS, innersOf, recordVectors } from './channel-v1-inners.js';
import type { Direction } from './channel-v1-inners.js';

const NOTHING = Buffer.alloc(0);
const CONFIRM = Buffer.alloc(78);

/** The frames of the DATA record `n`. */
function framesOf(direction: Direction, n: number): PlainFrame[] {
  const content = decodeContent(innersOf(direction, CONFIRM)[n] ?? NOTHING);
  if (content.type !== 'DATA') throw new TypeError('not a DATA record');
  return decodeFrames(content.frames);
}

describe.each(DIRECTIONS)('the frames of channel-v1.json, %s,', (direction) => {
  it('round-trip', () => {
    for (const { n, says } of recordVectors[direction]) {
      if (!says.startsWith('DATA')) continue;
      const frames = innersOf(direction, CONFIRM)[n]?.subarray(1);
      // The fragments are no whole messages, which is what `encodeFrames` writes.
      if (!says.includes('fragment') && !says.includes('the rest')) {
        expect(encodeFrames(framesOf(direction, n)), says).toEqual(frames);
      }
    }
  });
});

describe('the messages of channel-v1.json', () => {
  it('are a request with its timeout, pattern and data', () => {
    const [frame] = framesOf('clientToServer', 1);
    expect(frame).toMatchObject({ kind: 'REQUEST', stream: 1, more: false });
    const expected = { timeoutMs: 1_500, pattern: 'sum', data: [1, 2, 3] };
    expect(decodeRequest(frame?.payload ?? NOTHING)).toMatchObject(expected);
  });

  it('are an event with metadata and a long text outside of its JSON', () => {
    const [frame] = framesOf('clientToServer', 2);
    expect(decodeEvent(frame?.payload ?? NOTHING)).toMatchObject({
      sequence: 0,
      pattern: '{"cmd":"note"}',
      metadata: { traceparent: '00-1' },
      data: { text: 'é'.repeat(600), n: 7 },
    });
  });

  it('are an answer that is complete, an acknowledgement, a text, and an error', () => {
    const [next, ack] = framesOf('serverToClient', 0);
    expect(next).toMatchObject({ kind: 'NEXT', stream: 1, last: true });
    expect(decodeData(next?.payload ?? NOTHING)).toBe(6);
    expect(ack).toMatchObject({ kind: 'ACK', stream: 2 });
    const [text] = framesOf('serverToClient', 1);
    expect(decodeData(text?.payload ?? NOTHING)).toBe('done ✓');
    const [error] = framesOf('serverToClient', 2);
    expect(decodeData(error?.payload ?? NOTHING)).toMatchObject({ code: 'ERR_OVERLOADED' });
  });
});
