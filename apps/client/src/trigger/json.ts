import { HttpFailure } from '../http/http-failure.js';
import type { HttpFailureCode } from '../http/http-failure.js';

// An escape can spell the names that are refused, so it is reason enough to look.
const SUSPICIOUS = /\\u|__proto__|constructor/;

/**
 * Parses JSON from a caller. Refused is what would change the prototype of an object that somebody copies it into.
 *
 * @param what - Begins the message of a failure, which never quotes the text.
 */
export function parseJson(text: string, code: HttpFailureCode, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpFailure(code, `${what} is not JSON`, { cause });
  }
  if (SUSPICIOUS.test(text) && namesPrototype(value)) {
    throw new HttpFailure(code, `${what} must not hold the keys __proto__ or constructor.prototype`);
  }
  return value;
}

/** Without recursion: a caller chooses the depth. */
function namesPrototype(root: unknown): boolean {
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      if (key === '__proto__' || (key === 'constructor' && holdsPrototype(child))) return true;
      open.push(child);
    }
  }
  return false;
}

function holdsPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
