import { describe, expect, it } from 'vitest';

import { judgeJson, anyJson } from '../../../../test/fuzz/targets/json.js';
import { Random } from '../../../../test/support/random.js';
import { decodeText, JsonError, parseJson } from './json.js';
import type { JsonValue } from './json.js';

const parse = (text: string | Uint8Array): unknown =>
  plain(parseJson(typeof text === 'string' ? new TextEncoder().encode(text) : text));

/** A value as JSON.parse returns it, but with a placeholder for numbers and booleans, whose values are not read. */
function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'object':
      return Object.fromEntries([...value.members].map(([name, member]) => [name, plain(member)]));
    case 'array':
      return value.items.map(plain);
    case 'text':
      return decodeText(value.raw);
    case 'null':
      return null;
    case 'number':
    case 'boolean':
      return value.kind;
  }
}

describe('JSON', () => {
  it.each([
    ['{}', {}],
    [
      ' \t\r\n{ "a" : [ ] , "b":[1,-2.5e+3 , true,false,null]}\n',
      { a: [], b: ['number', 'number', 'boolean', 'boolean', null] },
    ],
    [String.raw`{"\u0061\"\\":"gr\u00f6ße 😀"}`, { 'a"\\': 'größe 😀' }],
    ['"a"', 'a'],
  ])('%j is parsed', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    ['', /^line 1, byte 0 of the file: expected a value$/],
    ['{', /expected a member name/],
    ['{"a"', /expected a colon/],
    ['{"a":', /expected a value/],
    ['{"a":1', /expected a comma or }/],
    ['{"a":1,}', /expected a member name/],
    ['{a:1}', /expected a member name/],
    ["{'a':1}", /expected a member name/],
    ['{"a":1 "b":2}', /expected a comma or }/],
    ['[1,]', /expected a value/],
    ['[1', /expected a comma or \]/],
    ['[1}', /expected a comma or \]/],
    ['{} {}', /^line 1, byte 3 of the file: unexpected characters after the end of the JSON value$/],
    ['nul', /expected a value/],
    ['NaN', /expected a value/],
    ['// a comment\n{}', /expected a value/],
    ['\uFEFF{}', /expected a value/],
    ['"a', /a string is not terminated/],
    ['"a\\', /a string is not terminated/],
    ['"a\n"', /control character/],
    [String.raw`{"\x":1}`, /a member name is not a valid string/],
    ['{"a":1,"b":2,"a":3}', /a member occurs twice/],
    [String.raw`{"a":1,"\u0061":3}`, /a member occurs twice/],
    ['{\n\n"a": x}', /^line 3, byte 8 of the file: /],
    [`${'['.repeat(9)}${']'.repeat(9)}`, /nested more than 8 levels deep/],
    ['['.repeat(100_000), /nested more than 8 levels deep/],
  ])('%j is refused', (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ name: 'JsonError', message: expect.stringMatching(message) }),
    );
  });

  it('shows the characters of a number, which need not be a number of JSON', () => {
    for (const text of ['0', '-1', '1.5e+3', '01', '1.2.3']) {
      const value = parseJson(new TextEncoder().encode(` ${text} `));
      expect(value.kind === 'number' && Buffer.from(value.raw).toString()).toBe(text);
    }
  });

  it('is refused if the bytes of a name are not UTF-8, and its texts are not decoded', () => {
    expect(() => parse(Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from('":1}')]))).toThrow(JsonError);
    expect(decodeText(Buffer.of(0xff))).toBeUndefined();
    expect(decodeText(Buffer.from(String.raw`\x`))).toBeUndefined();
  });

  it('accepts what JSON.parse accepts, as far as nesting and members that occur twice allow', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    for (let run = 0; run < 3_000; run++) {
      const input = anyJson(random);
      if (judgeJson(input) !== true) continue;
      let accepted: unknown;
      try {
        accepted = parse(input);
      } catch (error) {
        expect(String(error), `seed ${seed}, run ${run}`).toMatch(/nested|twice/);
        continue;
      }
      const expected: unknown = JSON.parse(String(input), (_name, value: unknown) =>
        typeof value === 'number' || typeof value === 'boolean' ? typeof value : value,
      );
      expect(accepted, `seed ${seed}, run ${run}`).toEqual(expected);
    }
  });
});
