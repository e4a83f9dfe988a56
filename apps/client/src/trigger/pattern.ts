import { parseJson } from './json.js';

export type Pattern = string | object;

/** Reads `:pattern`, already percent-decoded: JSON text where the pattern is an object, otherwise the pattern itself. */
export function parsePattern(text: string): Pattern {
  if (!text.startsWith('{')) return text;
  const pattern = parseJson(text, 'ERR_BAD_PATTERN', 'The pattern');
  return typeof pattern === 'object' && pattern !== null ? pattern : text;
}
