import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseEmitQuery, parseSendQuery, parseStreamQuery } from './query.js';

const refused = expect.objectContaining({ code: 'ERR_BAD_REQUEST' });

describe('the query', () => {
  it('requests the last value within 30 s by default', () => {
    expect(parseSendQuery({})).toEqual({ all: false, timeout: 30_000 });
    expect(parseEmitQuery({})).toEqual({ timeout: 30_000 });
    expect(parseStreamQuery({})).toEqual({ data: {}, timeout: 30_000 });
  });

  it.each([
    ['', true],
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ])('requests all values by all=%s: %s', (all, expected) => expect(parseSendQuery({ all }).all).toBe(expected));

  it.each(['2', 'yes', ['1', '1']])('refuses all=%s', (all) => expect(() => parseSendQuery({ all })).toThrow(refused));

  it('takes a deadline in milliseconds', () => expect(parseSendQuery({ timeout: '1500' }).timeout).toBe(1_500));

  it.each(['0', '-1', '1.5', '1e3', 'x', '', '86400001', ['1', '2']])('refuses timeout=%s', (timeout) => {
    expect(() => parseSendQuery({ timeout })).toThrow(refused);
    expect(() => parseEmitQuery({ timeout })).toThrow(refused);
    expect(() => parseStreamQuery({ timeout })).toThrow(refused);
  });

  it('takes the data of a stream as JSON', () => {
    expect(parseStreamQuery({ data: '{"from":3}' }).data).toEqual({ from: 3 });
    expect(parseStreamQuery({ data: '0' }).data).toBe(0);
  });

  it.each(['', '{', 'null', '{"__proto__":1}', ['1', '2']])('refuses data=%s', (data) =>
    expect(() => parseStreamQuery({ data })).toThrow(refused),
  );
});

describe('any query', () => {
  it('gives a deadline from 1 ms to a day and data that is a message, or is refused', () => {
    const text = fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.json(),
      fc.constantFrom('1', 'true', 'null', '86400001'),
    );
    const value = fc.oneof(text, fc.array(text, { maxLength: 3 }));
    const query = fc.dictionary(fc.constantFrom('all', 'timeout', 'data', 'other', '__proto__'), value);
    fc.assert(
      fc.property(query, (given) => {
        for (const parse of [parseSendQuery, parseEmitQuery, parseStreamQuery]) {
          try {
            const parsed: { timeout: number; data?: unknown } = parse(given);
            expect(parsed.timeout).toBeGreaterThanOrEqual(1);
            expect(parsed.timeout).toBeLessThanOrEqual(86_400_000);
            expect(parsed.data).not.toBeNull();
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_BAD_REQUEST' });
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
