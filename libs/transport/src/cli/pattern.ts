import { UsageError } from './failure.js';

/**
 * Returns the route of a pattern: a text, or the JSON of an object, whose members Nest sorts. `{"cmd":"sum"}` is the pattern
 * `{ cmd: 'sum' }`.
 *
 * @throws {UsageError} It begins like an object and is not one.
 */
export function parsePattern(text: string): string {
  return text.startsWith('{') ? routeOf(parseJson('PATTERN', text)) : text;
}

/**
 * Parses an argument, which the error does not show: it may be confidential.
 *
 * @throws {UsageError}
 */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const remedy = 'put a string in double quotes, and in a shell also in single quotes (\'"text"\')';
    throw new UsageError(`${name} is not valid JSON: ${remedy}`);
  }
}

/** Returns the route of a pattern, as `transformPatternToRoute` of Nest does. */
function routeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).toSorted(([one], [other]) => one.localeCompare(other));
  const parts = members.map(([name, member]) => {
    const route = routeOf(member);
    return `"${escape(name)}":${typeof member === 'string' ? `"${escape(route)}"` : route}`;
  });
  return `{${parts.join(',')}}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
