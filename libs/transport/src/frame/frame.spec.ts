import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeFrames, encodeFrames } from './frame.js';
import type { Frame } from './frame.js';

const frame = (fields: Partial<Frame>): Frame => ({
  kind: 'REQUEST',
  more: false,
  last: false,
  stream: 1,
  payload: Buffer.of(1),
  ...fields,
});

describe('frames', () => {
  it('come out of a record as they went in', () => {
    const frames = [
      frame({ more: true, stream: 0xffff_ffff }),
      frame({ kind: 'EVENT', payload: Buffer.alloc(500, 3) }),
      frame({ kind: 'NEXT', last: true }),
      frame({ kind: 'NEXT', more: true }),
      frame({ kind: 'ERROR' }),
      ...(['COMPLETE', 'CANCEL', 'ACK'] as const).map((kind) => frame({ kind, payload: Buffer.alloc(0) })),
    ];
    expect([...decodeFrames(encodeFrames(frames))]).toEqual(frames);
  });

  it.each([
    ['a header cut short', '01000001000000'],
    ['a payload cut short', '0100000200000001aa'],
    ['kind 0', '0000000100000001aa'],
    ['kind 8', '0800000100000001aa'],
    ['stream 0', '0100000100000000aa'],
    ['an unknown flag', '0104000100000001aa'],
    ['LAST on a request', '0102000100000001aa'],
    ['LAST on an error', '0402000100000001aa'],
    ['MORE and LAST together', '0303000100000001aa'],
    ['an empty fragment', '0101000000000001'],
    ['an empty message', '0300000000000001'],
    ['COMPLETE with a payload', '0500000100000001aa'],
    ['CANCEL with a flag', '0601000000000001'],
    ['ACK with a payload', '0700000100000001aa'],
  ])('are refused with %s', (_what, bytes) => {
    expect(() => [...decodeFrames(Buffer.from(bytes, 'hex'))]).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', fault: 'peer' }),
    );
  });

  it('that are minimal by the thousand are decoded without growing the stack', () => {
    const cancel = frame({ kind: 'CANCEL', payload: Buffer.alloc(0) });
    const body = encodeFrames(Array.from({ length: 8_187 }, () => cancel));
    expect([...decodeFrames(body)]).toHaveLength(8_187);
  });
});

describe('any frames', () => {
  const stream = fc.integer({ min: 1, max: 0xffff_ffff });
  const payload = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  const signal = fc.record({ kind: fc.constantFrom('COMPLETE' as const, 'CANCEL' as const, 'ACK' as const), stream });
  const message = fc.record({
    kind: fc.constantFrom('REQUEST' as const, 'EVENT' as const, 'NEXT' as const, 'ERROR' as const),
    stream,
    payload,
    more: fc.boolean(),
  });
  const any = fc.oneof(
    signal.map((fields) => frame({ ...fields, payload: Buffer.alloc(0) })),
    message.map((fields) => frame(fields)),
    fc.record({ stream, payload }).map((fields) => frame({ ...fields, kind: 'NEXT', last: true })),
  );

  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (frames) => {
        expect([...decodeFrames(encodeFrames(frames))]).toEqual(frames);
      }),
    );
  });

  it('that were altered are other frames, byte for byte, or malformed', () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 4 }), fc.array(change), fc.nat(), (frames, changes, end) => {
        const body = encodeFrames(frames);
        for (const [at, value] of changes) body[at % body.length] = value;
        const cut = body.subarray(0, body.length - (end % 3));
        let decoded: Frame[] | undefined;
        try {
          decoded = [...decodeFrames(cut)];
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_FRAME_MALFORMED', fault: 'peer' });
        }
        if (decoded !== undefined) expect(encodeFrames(decoded)).toEqual(cut);
      }),
      { numRuns: 500 },
    );
  });
});
