import { checkJson, TransportError } from '@sealwire/transport';

import { HttpFailure } from '../http/failure/http-failure.js';
import type { HttpFailureCode } from '../http/failure/http-failure.js';

/** The values of JSON up to this size are not counted, because parsing it is cheap. */
const UNCOUNTED_BYTES = 65_536;

// The names that are refused, or an escape, which may be part of such a name.
const SUSPICIOUS = /\\u|__proto__|constructor/;

/**
 * Parses JSON from a caller. Throws if it could change the prototype of an object into which it is merged, or has more
 * values than a message may have.
 *
 * @param what - The subject of the error message, which never quotes the text.
 * @param onNodes - Called with the number of values of a large text before it is parsed.
 */
export function parseJson(
  text: string,
  code: HttpFailureCode,
  what: string,
  onNodes = (_nodes: number): void => {},
): unknown {
  if (text.length > UNCOUNTED_BYTES || SUSPICIOUS.test(text)) onNodes(countNodes(text, code, what));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpFailure(code, `${what} is not JSON`, { cause });
  }
}

/** @throws {TransportError} `ERR_MESSAGE_TOO_COMPLEX`, `sent: false`: without it the failure is that of an answer. */
function countNodes(text: string, code: HttpFailureCode, what: string): number {
  try {
    return checkJson(Buffer.from(text));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    if (error.code === 'ERR_MESSAGE_TOO_COMPLEX') throw error.ofMessage(false);
    throw new HttpFailure(code, `${what} must not contain the keys __proto__ or constructor.prototype`, {
      cause: error,
    });
  }
}
