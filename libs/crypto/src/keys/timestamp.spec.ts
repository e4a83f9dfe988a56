import { describe, expect, it } from 'vitest';

import { formatTimestamp, parseTimestamp } from './timestamp.js';

describe('a timestamp', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2027-01-31T12:00:00Z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31T13:00:00.25+01:00', Date.UTC(2027, 0, 31, 12, 0, 0, 250)],
    ['2028-02-29T00:00:00.001-23:59', Date.UTC(2028, 1, 29, 23, 59, 0, 1)],
    ['9999-12-31T23:59:59.999Z', Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ])('is read from %s, and written so that it is read as the same', (text, timestamp) => {
    expect(parseTimestamp(text)).toBe(timestamp);
    expect(parseTimestamp(formatTimestamp(timestamp))).toBe(timestamp);
  });

  it.each([
    '',
    '2027-01-31',
    '2027-01-31T12:00:00',
    '2027-01-31 12:00:00Z',
    '2027-01-31t12:00:00z',
    '2027-01-31T12:00Z',
    '2027-02-29T00:00:00Z',
    '2027-00-10T00:00:00Z',
    '2027-13-10T00:00:00Z',
    '2027-04-31T00:00:00Z',
    '2027-01-31T24:00:00Z',
    '2027-01-31T23:60:00Z',
    '2016-12-31T23:59:60Z',
    '2027-01-31T12:00:00.1234Z',
    '2027-01-31T12:00:00+24:00',
    '2027-01-31T12:00:00+01:60',
    '2027-01-31T12:00:00+0100',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '12027-01-31T12:00:00Z',
    ' 2027-01-31T12:00:00Z',
    '2027-01-31T12:00:00Z\n',
  ])('is not read from %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});
