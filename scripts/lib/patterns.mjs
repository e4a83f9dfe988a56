import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SOURCE = /(?<!\.spec)\.ts$/;
const HANDLER = /@(?:Message|Event)Pattern\(\s*(\[[^\]]*\]|[^,)]*)/g;

/**
 * Finds the file below `folder` with a handler of `pattern`, if there is one. A request and an event cannot share a
 * pattern.
 *
 * @param {string} folder
 * @param {string} pattern
 * @returns {Promise<string | undefined>} The path from `folder`.
 */
export async function findPattern(folder, pattern) {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => SOURCE.test(path)).sort();
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
  const constants = constantsOf(pattern, texts);
  const index = texts.findIndex((text) =>
    [...text.matchAll(HANDLER)].some(([, argument]) => names(argument, pattern, constants)),
  );
  return paths[index]?.replaceAll('\\', '/');
}

/** Returns the names of the constants with the value `pattern`: `const SUM = 'sum'`, or a field of an object. */
function constantsOf(pattern, texts) {
  const constant = new RegExp(String.raw`\b([\w$]+)\s*(?::\s*string\s*)?[=:]\s*${quoted(pattern)}`, 'g');
  return new Set(texts.flatMap((text) => [...text.matchAll(constant)].map(([, name]) => name)));
}

/**
 * Returns whether the argument of a decorator is the pattern, or a list with it. An object pattern is another pattern.
 */
function names(argument, pattern, constants) {
  if (argument.startsWith('{')) return false;
  const entries = argument.replace(/^\[|\]$/g, '').split(',');
  return entries
    .map((entry) => entry.trim())
    .some((entry) => new RegExp(`^${quoted(pattern)}$`).test(entry) || constants.has(entry.split('.').at(-1)));
}

const quoted = (pattern) => `(?:'${pattern}'|"${pattern}"|\`${pattern}\`)`;
