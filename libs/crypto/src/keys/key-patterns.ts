// The message patterns that a key may call.

/**
 * Returns whether one of `patterns` covers the pattern of a message. A pattern that ends in `*` covers all that begin with
 * the text before it.
 *
 * @param patterns - Undefined: every pattern is covered.
 */
export function allowsPattern(patterns: readonly string[] | undefined, pattern: string): boolean {
  if (patterns === undefined) return true;
  return patterns.some((allowed) =>
    allowed.endsWith('*') ? pattern.startsWith(allowed.slice(0, -1)) : pattern === allowed,
  );
}
