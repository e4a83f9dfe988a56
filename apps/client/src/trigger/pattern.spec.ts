import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parsePattern } from './pattern.js';

describe('a pattern in the path', () => {
  it.each(['sum', 'orders.created', '5', '[1]', '"quoted"', ' {"cmd":"sum"}', 'päth/with slash'])(
    'is a string if it does not spell an object: %s',
    (text) => expect(parsePattern(text)).toBe(text),
  );

  it('is an object if it is the JSON text of one', () => {
    expect(parsePattern('{"cmd":"sum","version":1}')).toEqual({ cmd: 'sum', version: 1 });
  });

  it.each(['{', '{cmd:1}', '{"cmd":"sum"}}', '{"__proto__":{"cmd":1}}'])('is refused if it is malformed: %s', (text) =>
    expect(() => parsePattern(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_PATTERN' })),
  );
});

describe('any text in the path', () => {
  it('is itself, the object that it spells, or refused', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.json(),
      fc.json().map((json) => `{${json}`),
    );
    fc.assert(
      fc.property(text, (path) => {
        try {
          expect(parsePattern(path)).toEqual(path.startsWith('{') ? JSON.parse(path) : path);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_BAD_PATTERN' });
          expect(path.startsWith('{')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
