import { z } from 'zod';

import { HttpFailure } from '../http/failure/http-failure.js';
import { parseJson } from './json.js';

/** The largest message of the channel, and therefore the largest body. */
export const MAX_MESSAGE_BYTES = 8 * 1_024 * 1_024;

const utf8 = new TextDecoder('utf-8', { fatal: true }); // lenient decoding would hide corruption

const ACCEPTED = 'Wrong Content-Type: send application/json (in UTF-8) or application/octet-stream';

/**
 * Returns the data of a message: JSON except null, `{}` for an empty body, or raw bytes.
 *
 * @param contentType - The header, if any. The types that a browser sends without a CORS preflight are refused.
 * @param onNodes - Called with the number of values of large JSON before it is parsed.
 */
export function parseBody(contentType: string | undefined, body: Buffer, onNodes?: (nodes: number) => void): unknown {
  const [type, ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type === 'application/octet-stream') return body;
  if (type !== 'application/json' && !(type === '' && body.length === 0))
    throw new HttpFailure('ERR_MEDIA_TYPE', ACCEPTED);
  if (!parameters.every(saysUtf8)) throw new HttpFailure('ERR_MEDIA_TYPE', ACCEPTED);
  return body.length === 0
    ? {}
    : notNull(parseJson(decode(body), 'ERR_BAD_BODY', 'The body', onNodes), 'ERR_BAD_BODY', 'The body');
}

/** Refuses null, which Nest treats as no data. */
export function notNull(value: unknown, code: 'ERR_BAD_BODY' | 'ERR_BAD_REQUEST', what: string): unknown {
  if (value === null) throw new HttpFailure(code, `${what} must not be null: Nest sends no message without data`);
  return value;
}

// An empty body sends the default text. A misspelt member must not.
const messageBody = z.union([
  z.strictObject({}).transform(() => ({ text: 'Hello Server!' })),
  z.object({ text: z.string() }),
]);

/** Parses the body of `POST /messages`. */
export function parseMessage(body: unknown): z.infer<typeof messageBody> {
  if (body instanceof Uint8Array) throw new HttpFailure('ERR_MEDIA_TYPE', 'Wrong Content-Type: send application/json');
  const result = messageBody.safeParse(body);
  if (result.success) return result.data;
  throw new HttpFailure('ERR_BAD_BODY', 'The body must be { "text": "…" }, or empty');
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new HttpFailure('ERR_BAD_BODY', 'The body is not UTF-8', { cause });
  }
}

function saysUtf8(parameter: string): boolean {
  return !parameter.startsWith('charset=') || /^charset="?utf-?8"?$/.test(parameter);
}
