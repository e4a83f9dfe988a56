import { describe, expect, it } from 'vitest';

import { parseJson } from './json.js';

const parse = (text: string): unknown => parseJson(text, 'ERR_BAD_BODY', 'The body');

describe('JSON from a caller', () => {
  it.each([
    '{"a":[1,null]}',
    '"text"',
    '5',
    'true',
    'null',
    '[]',
    '{"constructor":"Lego"}',
    '"__proto__"',
    '"\\u0000"',
  ])('is passed on unchanged: %s', (text) => expect(parse(text)).toEqual(JSON.parse(text)));

  it.each(['', ' ', '{', "{'a':1}", 'undefined', 'NaN', '{"a":1}x'])('is refused if it is malformed: "%s"', (text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_BODY', message: 'The body is not JSON' }),
    );
  });

  it.each([
    '{"__proto__":{"polluted":true}}',
    '[{"a":{"__proto__":null}}]',
    '{"\\u005f_proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"a":{"c\\u006fnstructor":{"prototype":1}}}',
  ])('is refused if it targets a prototype: %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_BODY' }));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('may be nested to any depth', () => {
    const deep = `${'['.repeat(100_000)}"__proto__"${']'.repeat(100_000)}`;
    expect(() => parse(deep)).not.toThrow();
  });
});
