import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MAX_WHOLE_BYTES } from '../frame/frame.js';
import { NO_HEAD, OutgoingMessage } from './outgoing-message.js';
import type { MessageHead } from './outgoing-message.js';

const ENCODING = Buffer.of(4);

function whole(message: OutgoingMessage): Buffer {
  const target = Buffer.alloc(message.bytes + 2, 0xee);
  message.write(target, 1);
  expect([target[0], target.at(-1)]).toEqual([0xee, 0xee]);
  return target.subarray(1, -1);
}

function inPieces(message: OutgoingMessage, cuts: readonly number[]): Buffer {
  const at = [0, ...cuts.map((cut) => cut % message.bytes).sort((a, b) => a - b), message.bytes];
  const target = Buffer.alloc(message.bytes);
  for (const [index, from] of at.slice(0, -1).entries()) message.writePiece(target, from, from, at[index + 1] ?? from);
  return target;
}

describe('OutgoingMessage', () => {
  it.each([
    ['a timeout', 4 as const, 5_000, '00001388'],
    ['the longest timeout', 4 as const, 0x7fff_ffff, '7fffffff'],
    ['a sequence', 8 as const, 7, '0000000000000007'],
    ['a sequence beyond 32 bits', 8 as const, 2 ** 53 - 1, '001fffffffffffff'],
  ])('writes %s, then head, encoding and content', (_what, prefixBytes, prefix, hex) => {
    const message = new OutgoingMessage(ENCODING, 'é', { prefixBytes, bytes: Buffer.from('head') });
    message.prefix = prefix;
    expect(whole(message).toString('hex')).toBe(`${hex}${Buffer.from('head\u0004é').toString('hex')}`);
  });

  it('writes the same bytes in pieces, wherever it is split and whatever its content is', () => {
    const content = fc.constantFrom<string | Buffer>(
      'x'.repeat(70_000),
      'é✓😀'.repeat(8_000),
      `${'x'.repeat(69_999)}é`,
      Buffer.alloc(70_000, 'bytes'),
    );
    const head = fc.constantFrom<MessageHead>(NO_HEAD, { prefixBytes: 8, bytes: Buffer.from('a pattern') });
    fc.assert(
      fc.property(content, head, fc.array(fc.nat(), { maxLength: 6 }), (data, before, cuts) => {
        const message = new OutgoingMessage(ENCODING, data, before);
        const expected = Buffer.concat([Buffer.alloc(before.prefixBytes), before.bytes, ENCODING, Buffer.from(data)]);
        expect(message.bytes).toBeGreaterThan(MAX_WHOLE_BYTES);
        expect(inPieces(message, cuts).equals(expected)).toBe(true);
      }),
    );
  });

  it('writes head and content at every cut near where they meet', () => {
    const message = new OutgoingMessage(ENCODING, 'x'.repeat(70_000), { prefixBytes: 4, bytes: Buffer.from('head') });
    const expected = Buffer.concat([Buffer.alloc(4), Buffer.from('head\u0004'), Buffer.alloc(70_000, 'x')]);
    for (let cut = 1; cut < 20; cut++) expect(inPieces(message, [cut]).equals(expected), `cut at ${cut}`).toBe(true);
  });

  it.each(['x'.repeat(70_000), 'é'.repeat(40_000), Buffer.alloc(70_000, 1)])(
    'writes its current prefix when it is written in pieces again',
    (content) => {
      const message = new OutgoingMessage(ENCODING, content, { prefixBytes: 4, bytes: Buffer.from('head') });
      const written = [5, 6].map((prefix) => {
        message.prefix = prefix;
        return inPieces(message, [2, 60_000]);
      });
      expect(written.map((bytes) => bytes.readUInt32BE(0))).toEqual([5, 6]);
      expect(written[1]?.subarray(4).equals(written[0]?.subarray(4) ?? Buffer.alloc(0))).toBe(true);
    },
  );
});
