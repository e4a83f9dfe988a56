import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeFrames, encodeFrames } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { MAX_DATA_BYTES } from '../record/content.js';
import { MAX_WHOLE_BYTES } from './frame.js';

const frame = (fields: Partial<PlainFrame>): PlainFrame => ({
  kind: 'REQUEST',
  more: false,
  last: false,
  total: 0,
  stream: 1,
  payload: Buffer.of(1),
  ...fields,
});

describe('frames', () => {
  it('round-trip through a record', () => {
    const frames = [
      frame({ more: true, stream: 0xffff_ffff }),
      frame({ kind: 'EVENT', payload: Buffer.alloc(500, 3) }),
      frame({ kind: 'NEXT', last: true }),
      frame({ kind: 'NEXT', more: true }),
      frame({ kind: 'NEXT', more: true, total: 70_000 }),
      frame({ kind: 'ERROR', more: true, total: 0xffff_ffff }),
      frame({ kind: 'ERROR' }),
      ...(['COMPLETE', 'CANCEL', 'ACK'] as const).map((kind) => frame({ kind, payload: Buffer.alloc(0) })),
    ];
    expect(decodeFrames(encodeFrames(frames))).toEqual(frames);
  });

  it.each([
    ['a truncated header', '01000001000000'],
    ['a truncated payload', '0100000200000001aa'],
    ['a length beyond the record', '01ffffff00000001aa'],
    ['kind 0', '0000000100000001aa'],
    ['kind 8', '0800000100000001aa'],
    ['kind 15', '0f00000100000001aa'],
    ['stream 0', '0100000100000000aa'],
    ['flag 8', '8100000100000001aa'],
    ['LAST on a request', '2100000100000001aa'],
    ['LAST on an event', '2200000100000001aa'],
    ['LAST on an error', '2400000100000001aa'],
    ['MORE and LAST together', '3300000100000001aa'],
    ['FIRST without MORE', '410000050000000100010000aa'],
    ['FIRST with LAST', '630000050000000100010000aa'],
    ['FIRST with MORE and LAST', '730000050000000100010000aa'],
    ['an empty fragment', '1100000000000001'],
    ['an empty message', '0300000000000001'],
    ['FIRST without a total', '5100000300000001000100'],
    ['FIRST without a piece', '510000040000000100010000'],
    ['FIRST of a message that fits into one frame', '51000005000000010000ffd6aa'],
    ['COMPLETE with a payload', '0500000100000001aa'],
    ['COMPLETE with MORE', '1500000000000001'],
    ['CANCEL with a flag', '1600000000000001'],
    ['CANCEL with FIRST and MORE', '5600000000000001'],
    ['ACK with a payload', '0700000100000001aa'],
  ])('are refused with %s', (_what, bytes) => {
    expect(() => decodeFrames(Buffer.from(bytes, 'hex'))).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', fault: 'peer' }),
    );
  });

  it('are refused with a first fragment that is as long as its message', () => {
    const piece = Buffer.alloc(65_495);
    const refused = expect.objectContaining({ code: 'ERR_FRAME_MALFORMED' }) as Error;
    const first = (total: number): Buffer => encodeFrames([frame({ more: true, total, payload: piece })]);
    expect(() => decodeFrames(first(65_495))).toThrow(refused);
    expect(decodeFrames(first(65_496))).toHaveLength(1);
  });

  it('of the largest message that is not fragmented fill the largest record', () => {
    const largest = frame({ payload: Buffer.alloc(MAX_WHOLE_BYTES) });
    expect(encodeFrames([largest])).toHaveLength(MAX_DATA_BYTES);
  });

  it('are decoded by the thousand without growing the stack', () => {
    const cancel = frame({ kind: 'CANCEL', payload: Buffer.alloc(0) });
    const body = encodeFrames(Array.from({ length: 8_187 }, () => cancel));
    expect(decodeFrames(body)).toHaveLength(8_187);
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
    total: fc.integer({ min: 65_495, max: 0xffff_ffff }),
    isFirst: fc.boolean(),
  });
  const any = fc.oneof(
    signal.map((fields) => frame({ ...fields, payload: Buffer.alloc(0) })),
    message.map(({ isFirst, total, ...fields }) => frame({ ...fields, total: isFirst && fields.more ? total : 0 })),
    fc.record({ stream, payload }).map((fields) => frame({ ...fields, kind: 'NEXT', last: true })),
  );

  it('round-trip', () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (frames) => {
        expect(decodeFrames(encodeFrames(frames))).toEqual(frames);
      }),
    );
  });

  it('are decoded differently or refused as malformed after any alteration', () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 4 }), fc.array(change), fc.nat(), (frames, changes, end) => {
        const body = encodeFrames(frames);
        for (const [at, value] of changes) body[at % body.length] = value;
        const cut = body.subarray(0, body.length - (end % 3));
        let decoded: PlainFrame[] | undefined;
        try {
          decoded = decodeFrames(cut);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_FRAME_MALFORMED', fault: 'peer' });
        }
        if (decoded !== undefined) expect(encodeFrames(decoded)).toEqual(cut);
      }),
      { numRuns: 500 },
    );
  });
});
