import { describe, expect, it } from 'vitest';

import { parseEmitQuery, parseSendQuery, parseStreamQuery } from './query.js';

const refused = expect.objectContaining({ code: 'ERR_BAD_REQUEST' });

describe('the query', () => {
  it('asks for the last value within 30 s by default', () => {
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
  ])('all=%s asks for all values: %s', (all, expected) => expect(parseSendQuery({ all }).all).toBe(expected));

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
