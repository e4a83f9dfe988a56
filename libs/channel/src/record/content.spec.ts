import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeContent } from '../../../../test/support/frames.js';
import { decodeContent } from './content.js';
import type { RecordContent } from './content.js';

const CONTENTS: readonly RecordContent[] = [
  { type: 'DATA', frames: Buffer.of(1, 2, 3) },
  { type: 'KEY_UPDATE' },
  { type: 'CLOSE', reason: 'done' },
  { type: 'CLOSE', reason: 'limit' },
  { type: 'GOAWAY' },
  { type: 'PING', token: Buffer.alloc(8, 7) },
  { type: 'PONG', token: Buffer.alloc(8, 8) },
  { type: 'CONFIRM', body: Buffer.alloc(78, 9) },
  { type: 'CREDIT', taken: 0 },
  { type: 'CREDIT', taken: 2 ** 32 },
  { type: 'CREDIT', taken: Number.MAX_SAFE_INTEGER },
];

describe('the content of a record', () => {
  it.each(CONTENTS)('round-trips: $type', (content) => {
    expect(decodeContent(encodeContent(content))).toEqual(content);
  });

  it.each([
    ['nothing at all', ''],
    ['type 0', '00'],
    ['type 9', '09'],
    ['an empty DATA', '01'],
    ['KEY_UPDATE with a body', '0200'],
    ['CLOSE without a code', '03'],
    ['CLOSE with two codes', '030000'],
    ['CLOSE with an unknown code', '0304'],
    ['GOAWAY with a body', '0400'],
    ['PING of 7 bytes', '0501020304050607'],
    ['PING of 9 bytes', '05010203040506070809'],
    ['PONG of 0 bytes', '06'],
    ['CONFIRM of 77 bytes', `07${'00'.repeat(77)}`],
    ['CONFIRM of 79 bytes', `07${'00'.repeat(79)}`],
    ['CREDIT of 7 bytes', '0800000000000000'],
    ['CREDIT of 9 bytes', '08000000000000000000'],
    ['CREDIT of 2^53', '080020000000000000'],
  ])('is refused when it is %s', (_what, inner) => {
    expect(() => decodeContent(Buffer.from(inner, 'hex'))).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_MALFORMED', fault: 'peer' }),
    );
  });
});

describe('CREDIT', () => {
  it('is a type byte and the number of bytes taken, in 8 bytes', () => {
    expect(encodeContent({ type: 'CREDIT', taken: 131_088 }).toString('hex')).toBe('080000000000020010');
  });
});

describe('any plaintext of a record', () => {
  it('is a content that round-trips, or malformed', () => {
    const type = fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 10 }), (first, body) => {
        const inner = Buffer.from([first, ...body]);
        let content: RecordContent | undefined;
        try {
          content = decodeContent(inner);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_RECORD_MALFORMED', fault: 'peer' });
        }
        if (content !== undefined) expect(encodeContent(content)).toEqual(inner);
      }),
      { numRuns: 1_000 },
    );
  });
});
