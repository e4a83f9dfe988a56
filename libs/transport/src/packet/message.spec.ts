import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOf } from '../../../../test/support/frames.js';
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from './message.js';

const malformed = expect.objectContaining({ code: 'ERR_MESSAGE_MALFORMED' });

describe('messages', () => {
  it('of any pattern, metadata and data round-trip', () => {
    const text = fc.string({ unit: 'grapheme' });
    const call = fc.record({
      timeoutMs: fc.nat(),
      pattern: text,
      metadata: fc.dictionary(fc.stringMatching(/^[a-z]+$/), text, { minKeys: 1 }),
      data: fc.nat(),
    });
    fc.assert(
      fc.property(call, (request) => {
        expect(decodeRequest(bytesOf(encodeRequest(request)))).toMatchObject(request);
        const event = encodeEvent(request);
        event.prefix = request.timeoutMs;
        expect(decodeEvent(bytesOf(event))).toMatchObject({ sequence: request.timeoutMs, pattern: request.pattern });
      }),
    );
  });

  it('are refused when truncated inside their head', () => {
    const message = bytesOf(encodeRequest({ timeoutMs: 1, pattern: 'sum', metadata: { a: 'b' }, data: 1 }));
    const headBytes = 4 + 2 + 3 + 2 + 9;
    for (let end = 0; end <= headBytes; end++) expect(() => decodeRequest(message.subarray(0, end))).toThrow(malformed);
    expect(() => decodeEvent(Buffer.alloc(7))).toThrow(malformed);
  });

  it('are refused with metadata that is not an object, or a pattern that is not UTF-8', () => {
    const request = (pattern: string, metadata: string): Buffer =>
      Buffer.concat([
        Buffer.alloc(4),
        Buffer.of(0, pattern.length),
        Buffer.from(pattern, 'latin1'),
        Buffer.of(0, metadata.length),
        Buffer.from(metadata),
        Buffer.of(2),
      ]);
    expect(decodeRequest(request('a', ''))).toMatchObject({ timeoutMs: 0, pattern: 'a', data: undefined });
    for (const metadata of ['[]', 'null', '1', '{'])
      expect(() => decodeRequest(request('a', metadata))).toThrow(malformed);
    expect(() => decodeRequest(request('\xff', ''))).toThrow(malformed);
  });

  it('are refused with a sequence beyond the safe integers', () => {
    expect(() => decodeEvent(Buffer.concat([Buffer.alloc(8, 0xff), Buffer.of(0, 0, 0, 0, 2)]))).toThrow(malformed);
  });

  it('are refused with a head beyond 64 KiB before they are sent', () => {
    const tooLarge = expect.objectContaining({ code: 'ERR_MESSAGE_TOO_LARGE', sent: false });
    expect(() => encodeEvent({ pattern: 'x'.repeat(65_536), data: 1 })).toThrow(tooLarge);
    expect(() => encodeEvent({ pattern: 'x', metadata: { a: 'x'.repeat(65_536) }, data: 1 })).toThrow(tooLarge);
  });
});

describe('any bytes in place of a message', () => {
  it('decode to a call, or are refused with one code', () => {
    const genuine = bytesOf(encodeRequest({ timeoutMs: 1, pattern: 'sum', metadata: { a: 'b' }, data: [1, 2] }));
    const change = fc.tuple(fc.nat({ max: genuine.length - 1 }), fc.nat({ max: 255 }));
    const altered = fc.array(change, { maxLength: 4 }).map((changes) => {
      const message = Buffer.from(genuine);
      for (const [at, value] of changes) message[at] = value;
      return message;
    });
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(altered, noise), (message) => {
        for (const decode of [decodeRequest, decodeEvent]) {
          try {
            expect(decode(message).pattern).toBeTypeOf('string');
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED', fault: 'peer' });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
