import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkJson } from './json-check.js';

const check = (text: string, maxNodes?: number): number => checkJson(Buffer.from(text), maxNodes);
const code = (name: string): unknown => expect.objectContaining({ code: name });

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, child) => sum + countValues(child), 1);
}

describe('checkJson', () => {
  it('counts all values in any notation', () => {
    const values = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        fc.pre(!/__proto__|constructor/.test(text));
        expect(check(text)).toBe(countValues(value));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['[]', 1],
    [' [ ] ', 1],
    ['{ }', 1],
    ['[[],{}]', 3],
    [String.raw`["a,b\"[,{", "\\", "c"]`, 4],
    ['{"a":[1,2],"b":{"c":null}}', 6],
  ])('counts %s as %i', (text, nodes) => {
    expect(check(text)).toBe(nodes);
    expect(check(text, nodes)).toBe(nodes);
    if (nodes > 1) expect(() => check(text, nodes - 1)).toThrow(code('ERR_MESSAGE_TOO_COMPLEX'));
  });

  it('accepts a part of the bytes, also as a plain Uint8Array', () => {
    const bytes = new TextEncoder().encode('[1,[2,3],4]');
    expect(checkJson(bytes, 3, 3, 8)).toBe(3);
    expect(() => checkJson(bytes, 3)).toThrow(code('ERR_MESSAGE_TOO_COMPLEX'));
  });

  it.each([
    '{"__proto__":1}',
    '[{"a":1,"__proto__" \n:1}]',
    String.raw`{"\u005F\u005fpr\u006Fto__":1}`,
    '{"constructor":{"a":[{}],"prototype":1}}',
    '{"constructor" : { "a":{"constructor":{}}, "prototype":1}}',
    String.raw`{"\u0063onstructor":{"prototyp\u0065":1}}`,
  ])('refuses %s', (text) => {
    expect(() => check(text)).toThrow(code('ERR_MESSAGE_MALFORMED'));
  });

  it.each([
    '["__proto__","constructor","prototype"]',
    String.raw`{"\"__proto__":1,"a__proto__":1,"__proto__a":1,"_\u00f0":1}`,
    '{"constructor":1,"prototype":{}}',
    '{"constructor":[{"prototype":1}]}',
    '{"constructor":{"a":{"prototype":1}},"prototype":1}',
    '{"constructor":{},"a":{"prototype":1}}',
  ])('accepts %s', (text) => {
    expect(() => check(text)).not.toThrow();
  });

  it('returns for any bytes, JSON or not', () => {
    const pieces = fc.constantFrom('"', '\\', '\\u', '[', ']', '{', '}', ',', ':', 'constructor', ' ', '1');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        expect(check(parts.join(''))).toBeGreaterThan(0);
      }),
    );
  });
});
