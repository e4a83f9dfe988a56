// Timestamps of the wall clock: milliseconds since 1970 in the code, text of RFC 3339 in files and messages.

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,3})?(?:Z|[+-](\d\d):(\d\d))$/;

/**
 * Parses a timestamp such as `2027-01-31T12:00:00Z` or `2027-01-31T13:00:00.250+01:00`; undefined if it is not
 * one. Capital T and Z, an offset, at most milliseconds, no leap second, years from 1970 to 9999.
 */
export function parseTimestamp(text: string): number | undefined {
  const parts = RFC_3339.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = parts;
  const isTime = hour <= 23 && minute <= 59 && second <= 59 && !(offsetHour > 23) && !(offsetMinute > 59);
  if (year < 1970 || !isTime || !isDay(year, month, day)) return undefined;
  const timestamp = Date.parse(text);
  return timestamp >= 0 && timestamp <= MAX_TIMESTAMP ? timestamp : undefined;
}

/** Returns a timestamp in UTC, with milliseconds: `2027-01-31T12:00:00.000Z`. */
export function formatTimestamp(timestamp: number): string {
  return new Date(timestamp).toISOString();
}

/** The last timestamp that has a year of four digits. */
export const MAX_TIMESTAMP = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
