import { z } from 'zod';

import { HttpFailure } from '../http/failure/http-failure.js';
import { notNull } from './body.js';
import { parseJson } from './json.js';

const DATA = 'The query parameter "data"';
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 86_400_000;

const all = z
  .enum(['', '1', 'true', '0', 'false'], { error: 'The query parameter "all" must be 1, 0, true or false' })
  .default('0')
  .transform((text) => !['0', 'false'].includes(text));

const timeoutMs = z
  .string({ error: 'The query parameter "timeout" must not be given more than once' })
  .refine(
    (text) => /^\d{1,8}$/.test(text) && isTimeout(Number(text)),
    'The query parameter "timeout" must be a whole number of milliseconds from 1 to 86400000',
  )
  .transform(Number)
  .default(DEFAULT_TIMEOUT_MS);

const jsonText = z.string({ error: `${DATA} must not be given more than once` }).default('{}');

const sendQuery = z.object({ all, timeout: timeoutMs });
const emitQuery = z.object({ timeout: timeoutMs });
const streamQuery = z.object({ data: jsonText, timeout: timeoutMs });

/** Parses the query of `POST /send`. */
export function parseSendQuery(query: unknown): z.infer<typeof sendQuery> {
  return parse(sendQuery, query);
}

/** Parses the query of `POST /emit`. */
export function parseEmitQuery(query: unknown): z.infer<typeof emitQuery> {
  return parse(emitQuery, query);
}

/** Parses the query of `GET /stream`. */
export function parseStreamQuery(query: unknown): { readonly data: unknown; readonly timeout: number } {
  const { data, timeout } = parse(streamQuery, query);
  return { data: notNull(parseJson(data, 'ERR_BAD_REQUEST', DATA), 'ERR_BAD_REQUEST', DATA), timeout };
}

function parse<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  throw new HttpFailure('ERR_BAD_REQUEST', result.error.issues.map(({ message }) => message).join('; '));
}

function isTimeout(milliseconds: number): boolean {
  return milliseconds >= 1 && milliseconds <= MAX_TIMEOUT_MS;
}
