import { checkJson, TransportError } from '@sealwire/transport';

import { HttpFailure } from '../http/failure/http-failure.js';
import type { HttpFailureCode } from '../http/failure/http-failure.js';

/** Smaller JSON is not counted: it costs little, whatever it holds. */
const UNCOUNTED_BYTES = 65_536;

// An escape can spell the names that are refused, so it is reason enough to look.
const SUSPICIOUS = /\\u|__proto__|constructor/;

/**
 * Parses JSON from a caller. Throws if it would change the prototype of an object that it is copied into, or has more
 * values than a message may have.
 *
 * @param what - Begins the message of a failure, which never quotes the text.
 * @param counted - Is given how many values a large text has, before they are made.
 */
export function parseJson(
  text: string,
  code: HttpFailureCode,
  what: string,
  counted = (_nodes: number): void => {},
): unknown {
  if (text.length > UNCOUNTED_BYTES || SUSPICIOUS.test(text)) counted(countNodes(text, code, what));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpFailure(code, `${what} is not JSON`, { cause });
  }
}

/** @throws {TransportError} `ERR_MESSAGE_TOO_COMPLEX`, as the channel itself would for this message. */
function countNodes(text: string, code: HttpFailureCode, what: string): number {
  try {
    return checkJson(Buffer.from(text));
  } catch (error) {
    if (!(error instanceof TransportError) || error.code !== 'ERR_MESSAGE_MALFORMED') throw error;
    throw new HttpFailure(code, `${what} must not contain the keys __proto__ or constructor.prototype`, {
      cause: error,
    });
  }
}
