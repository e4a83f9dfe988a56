import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOf } from '../../../../test/support/frames.js';
import { decodeData, encodeData } from './payload.js';

const LONG = 'x'.repeat(1_024);
const malformed = expect.objectContaining({ code: 'ERR_MESSAGE_MALFORMED', fault: 'peer' }) as Error;
const encoded = (value: unknown): Buffer => bytesOf(encodeData(value));
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** An object with a text, with each of its fields as given. */
function bytes({
  key = 'text',
  json = '{"text":0}',
  text = LONG,
  keyLength = Buffer.byteLength(key),
  jsonLength = Buffer.byteLength(json),
} = {}): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt8(3);
  head.writeUInt16BE(keyLength, 1);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(jsonLength);
  return Buffer.concat([head, Buffer.from(key), length, Buffer.from(json), Buffer.from(text)]);
}

describe('an object with one long text', () => {
  it('is sent as JSON with 0 in place of the text, followed by the text', () => {
    expect(encoded({ id: 7, text: LONG })).toEqual(bytes({ json: '{"id":7,"text":0}' }));
  });

  it.each([
    ['a text of 1,023 bytes', { text: 'x'.repeat(1_023) }],
    ['a text of 1,023 bytes that are not ASCII', { text: `${'é'.repeat(511)}x` }],
    ['a lone surrogate in the text', { text: `${LONG}\uD800` }],
    ['its own prototype', Object.assign(Object.create({ inherited: 1 }) as object, { text: LONG })],
    ['no prototype', Object.assign(Object.create(null) as object, { text: LONG })],
    ['a toJSON', { text: LONG, toJSON: () => ({ other: LONG }) }],
    ['the key __proto__', asJsonWithProto()],
    ['a key of more than 65,535 bytes', { ['k'.repeat(65_536)]: LONG }],
    [
      'more members than a copy is worth',
      Object.fromEntries([['text', LONG], ...Array.from({ length: 40 }, (_, i) => [`m${i}`, i])]),
    ],
    ['a String object', { text: Object(LONG) as string }],
    ['its text in an array', [LONG]],
  ])('is plain JSON with %s', (_what, value) => {
    const message = encoded(value);
    expect(message[0]).toBe(0);
    expect(message.subarray(1).toString()).toBe(JSON.stringify(value));
  });

  it('has each member read once, and exactly that value is sent', () => {
    let reads = 0;
    const value = {
      get text(): string {
        reads += 1;
        return `${reads}${LONG}`;
      },
      get small(): number {
        reads += 10;
        return reads;
      },
    };
    expect(decodeData(encoded(value))).toEqual({ text: `1${LONG}`, small: 11 });
    expect(reads).toBe(11);
  });

  it('may be modified as soon as it was encoded', () => {
    const value = { text: LONG, list: [1] };
    const message = encodeData(value);
    value.text = 'changed';
    value.list.push(2);
    expect(decodeData(bytesOf(message))).toEqual({ text: LONG, list: [1] });
    expect(value).toEqual({ text: 'changed', list: [1, 2] });
  });

  it('arrives as through JSON, whatever its members are', () => {
    const member = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(undefined, () => 1, Symbol('s'), new Date(0), NaN, Object('text')),
      fc.string({ unit: 'binary', minLength: 1_000, maxLength: 1_100 }),
      fc.constantFrom(LONG, `${LONG}\0\u2028`, `\uFEFF${LONG}`, '✓'.repeat(400), `😀${LONG}`, `${LONG}\uDC00`),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('', '0', '12', 'constructor', 'text'));
    fc.assert(
      fc.property(fc.dictionary(key, member, { maxKeys: 6, noNullPrototype: true }), (value) => {
        fc.pre(!/__proto__|"prototype"/.test(JSON.stringify(value)));
        expect(decodeData(encoded(value))).toEqual(asJson(value));
      }),
      { numRuns: 500 },
    );
  });

  it('is accepted with a text of any length, with the empty key, and with the last of two members of one name', () => {
    expect(decodeData(bytes({ text: '' }))).toEqual({ text: '' });
    expect(decodeData(bytes({ key: '', json: '{"":0}', text: 'a' }))).toEqual({ '': 'a' });
    expect(decodeData(bytes({ json: '{"text":1,"\\u0074ext":[2]}', text: 'a' }))).toEqual({ text: 'a' });
  });

  it('is refused when it is truncated before its text', () => {
    const whole = bytes({ text: '' });
    for (let end = 1; end < whole.length; end++) {
      expect(() => decodeData(whole.subarray(0, end)), `${end} bytes`).toThrow(
        expect.objectContaining({ code: 'ERR_MESSAGE_MALFORMED' }) as Error,
      );
    }
  });

  it.each([
    ['a key beyond the message', bytes({ keyLength: 0xffff })],
    ['a JSON beyond the message', bytes({ jsonLength: 0xffff_ffff })],
    ['an array', bytes({ json: '["text"]', key: '0' })],
    ['null', bytes({ json: 'null' })],
    ['a number', bytes({ json: '1' })],
    ['no member with that name', bytes({ json: '{"other":0}' })],
    ['an inherited member of that name', bytes({ key: 'toString', json: '{}' })],
    ['the key __proto__', bytes({ key: '__proto__', json: '{"__proto__":0}' })],
    ['a poisoned member', bytes({ json: '{"text":0,"__proto__":{"a":1}}' })],
    ['a byte order mark before the JSON', bytes({ json: '\uFEFF{"text":0}' })],
    ['broken JSON', bytes({ json: '{"text":}' })],
    ['a key that is not UTF-8', Buffer.concat([Buffer.of(3, 0, 1, 0xff, 0, 0, 0, 2), Buffer.from('{}')])],
    ['a text that is not UTF-8', Buffer.concat([bytes(), Buffer.of(0xc3)])],
  ])('is refused with %s', (_what, message) => {
    expect(() => decodeData(message)).toThrow(malformed);
  });

  it('is refused for the values in its JSON alone, before the text is inserted', () => {
    const list = `[${'1,'.repeat(40_000)}1]`;
    const message = bytes({ json: `{"text":0,"list":${list}}`, text: '1,'.repeat(40_000) });
    expect(decodeData(message, 0, 40_004)).toMatchObject({ text: '1,'.repeat(40_000) });
    expect(() => decodeData(message, 0, 40_003)).toThrow(
      expect.objectContaining({ code: 'ERR_MESSAGE_TOO_COMPLEX' }) as Error,
    );
  });
});

describe('a string', () => {
  it('of 1,024 bytes is sent raw, a shorter one and one with a lone surrogate as JSON', () => {
    expect(encoded(LONG)).toEqual(Buffer.concat([Buffer.of(4), Buffer.from(LONG)]));
    expect(encoded('é'.repeat(512))[0]).toBe(4);
    for (const text of ['x'.repeat(1_023), `${LONG}\uD800`]) expect(encoded(text)[0]).toBe(0);
  });

  it.each(['', 'é', '\uFEFFwith a mark', 'a\0b', '\u2028', `${LONG}😀`])('arrives unchanged: %j', (text) => {
    expect(decodeData(Buffer.concat([Buffer.of(4), Buffer.from(text)]))).toBe(text);
  });

  it('is refused if it is not UTF-8', () => {
    for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      expect(() => decodeData(Buffer.of(4, ...bad))).toThrow(malformed);
    }
  });
});

function asJsonWithProto(): unknown {
  return Object.defineProperty({ text: LONG }, '__proto__', { value: LONG, enumerable: true });
}
