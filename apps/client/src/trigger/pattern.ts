import { parseJson } from './json.js';

export type Pattern = string | object;

/** Parses the decoded `:pattern`: a text that begins with `{` is the JSON of an object pattern. */
export function parsePattern(text: string): Pattern {
  if (!text.startsWith('{')) return text;
  const pattern = parseJson(text, 'ERR_BAD_PATTERN', 'The pattern');
  return typeof pattern === 'object' && pattern !== null ? pattern : text;
}
