import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { bytesOf } from '../../../../test/support/frames.js';
import { decodeData, encodeData, weighData } from './payload.js';

const malformed = expect.objectContaining({ code: 'ERR_MESSAGE_MALFORMED' });
const encoded = (value: unknown): Buffer => bytesOf(encodeData(value));
const json = (text: string): Buffer => Buffer.concat([Buffer.of(0), Buffer.from(text)]);

describe('data', () => {
  it.each([[null], [0], ['text ✓'], [[1, [2]]], [{ a: { b: true } }]])('of JSON %j round-trips', (value) => {
    expect(decodeData(encoded(value))).toEqual(value);
  });

  it('of bytes is sent as these bytes, and decoded to a copy', () => {
    const bytes = Buffer.of(0, 255, 1);
    const message = encodeData(bytes);
    bytes[0] = 9;
    expect(bytesOf(message)).toEqual(Buffer.of(1, 0, 255, 1));
    expect(decodeData(bytesOf(message))).toEqual(Buffer.of(0, 255, 1));
    expect(decodeData(encoded(new Uint8Array([4, 5])))).toEqual(Buffer.of(4, 5));
  });

  it.each([0, 1, 100, 5_000, 300_000])('of %i bytes is passed on in memory that contains nothing else', (bytes) => {
    const record = Buffer.concat([Buffer.from('what others sent'), encoded(Buffer.alloc(bytes, 7))]);
    const given = decodeData(record.subarray(16)) as Buffer;
    record.fill(9);
    expect(given.equals(Buffer.alloc(bytes, 7))).toBe(true);
    expect(given.buffer.byteLength).toBe(bytes);
  });

  it('is weighed by its memory: bytes by their length, JSON with its values', () => {
    const weightOf = (value: unknown): number => weighData(encoded(value)).weight;
    expect(weightOf(Buffer.alloc(1_000_000))).toBe(1_000_000);
    expect(weightOf('x'.repeat(1_000_000))).toBe(1_000_000);
    expect(weightOf({ text: 'x'.repeat(1_000_000), n: 1 })).toBe(1_000_010 + 16 * '{"text":0,"n":1}'.length);
    expect(weightOf(Array.from({ length: 50_000 }, () => ({})))).toBe(150_001 + 50_001 * 64);
    expect(weightOf({})).toBe(2 * 16);
    expect(weightOf(undefined)).toBe(0);
  });

  it('of more than 64 KiB of JSON is refused by the number of its values, before it is parsed', () => {
    const tooComplex = expect.objectContaining({ code: 'ERR_MESSAGE_TOO_COMPLEX', fault: 'caller' });
    const list = encoded(Array.from({ length: 40_000 }, () => 1));
    expect(decodeData(list, 0, 40_001)).toHaveLength(40_000);
    const parse = vi.spyOn(JSON, 'parse');
    expect(() => decodeData(list, 0, 40_000)).toThrow(tooComplex);
    expect(() => decodeData(json(`[${'1,'.repeat(1_000_000)}1]`))).toThrow(tooComplex);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
    expect(decodeData(encoded([1, 2, 3]), 0, 1)).toEqual([1, 2, 3]);
  });

  it('that is undefined or dropped by JSON arrives as undefined', () => {
    expect(decodeData(encoded(undefined))).toBeUndefined();
    expect(decodeData(encoded(() => 1))).toBeUndefined();
  });

  it.each([
    ['a BigInt', () => 1n],
    ['a cycle', cyclic],
    [
      'a toJSON that throws',
      () => ({
        toJSON: () => {
          throw new Error('no');
        },
      }),
    ],
  ])('that is %s cannot be serialized, with an error that says so', (_what, make) => {
    expect(() => encoded(make())).toThrow(
      expect.objectContaining({ code: 'ERR_MESSAGE_UNSERIALIZABLE', fault: 'caller', sent: false }),
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['an unknown encoding', Buffer.of(5, 1)],
    ['undefined with bytes', Buffer.of(2, 0)],
    ['empty JSON', json('')],
    ['broken JSON', json('{')],
    ['a byte order mark', json('\uFEFF1')],
    ['bytes that are not UTF-8', Buffer.of(0, 0x22, 0xff, 0x22)],
    ['an encoded surrogate', Buffer.of(0, 0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['a __proto__ key', json('{"a":[{"__proto__":{"polluted":1}}]}')],
    ['a __proto__ key in escapes', json('{"\\u005f\\u005fproto\\u005f_":{"polluted":1}}')],
    ['a constructor.prototype key', json('{"constructor":{"prototype":{"polluted":1}}}')],
  ])('of %s is refused without quoting it', (_what, data) => {
    expect(() => decodeData(data)).toThrow(malformed);
    expect('polluted' in {}).toBe(false);
  });

  it('may contain the words that are refused as keys', () => {
    const value = { text: '__proto__', constructor: 'x' };
    expect(decodeData(json(JSON.stringify(value)))).toEqual(value);
  });

  it('that is nested a hundred thousand levels deep ends in a value or one error, never in a crash', () => {
    const deep = json('['.repeat(100_000) + ']'.repeat(100_000));
    expect(Array.isArray(decodeData(deep))).toBe(true);
  });
});

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

/** So long that it is looked at before it is read. */
const LONG_TEXT_BYTES = 70_000;

describe('any data', () => {
  // -0 has no JSON, and a __proto__ is refused.
  const values = fc.jsonValue({ noUnicodeString: false }).map((value): unknown => JSON.parse(JSON.stringify(value)));

  it('of JSON round-trips, unless a key targets a prototype', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/__proto__|constructor/.test(text));
        expect(decodeData(encoded(value))).toEqual(value);
      }),
    );
  });

  it('of a long text is decoded as UTF-8, wherever it stops being ASCII', () => {
    const odd = fc.constantFrom('', 'é', '✓', '😀', '\uFFFD', '\u007f', '\u0080');
    fc.assert(
      fc.property(odd, fc.nat({ max: LONG_TEXT_BYTES }), (character, at) => {
        const text = `${'a'.repeat(at)}${character}${'b'.repeat(LONG_TEXT_BYTES - at)}`;
        expect(decodeData(encoded(text))).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it('of a long text is refused wherever a byte is not UTF-8', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x80, max: 0xff }), fc.nat({ max: LONG_TEXT_BYTES - 1 }), (byte, at) => {
        const text = Buffer.alloc(LONG_TEXT_BYTES, 'a');
        text[at] = byte;
        expect(() => decodeData(Buffer.concat([Buffer.from('\0"'), text, Buffer.from('"')]))).toThrow(malformed);
      }),
      { numRuns: 50 },
    );
  });

  it('of bytes round-trips', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Buffer.from(bytes).equals(decodeData(encoded(bytes)) as Buffer)).toBe(true);
      }),
    );
  });

  it('is refused wherever it would change a prototype, at any depth and in any notation', () => {
    const inside = fc.constantFrom(
      '{"__proto__":1}',
      String.raw`{"\u005f_proto__":{}}`,
      '{"constructor":{"prototype":1}}',
      String.raw`{"c\u006fnstructor":{"a":1,"prototyp\u0065":{}}}`,
    );
    const around = fc.array(fc.constantFrom('[1,?]', '{"a":?}', '{"constructor":?}', '[?,{}]'), { maxLength: 6 });
    fc.assert(
      fc.property(inside, around, (poison, layers) => {
        const text = layers.reduce((inner, layer) => layer.replace('?', () => inner), poison);
        expect(() => decodeData(json(text))).toThrow(malformed);
      }),
    );
  });

  it('of noise is a value or malformed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 30 }), (encoding, bytes) => {
        try {
          decodeData(Buffer.from([encoding, ...bytes]));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED', fault: 'peer' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
