import { z } from 'zod';

import { HttpFailure } from '../http/failure/http-failure.js';
import { notNull } from './body.js';
import { parseJson } from './json.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 86_400_000;

const all = z
  .enum(['', '1', 'true', '0', 'false'], { error: 'all must be 1 or 0' })
  .default('0')
  .transform((text) => !['0', 'false'].includes(text));

const timeoutMs = z
  .string({ error: 'timeout must be given once' })
  .refine(
    (text) => /^\d{1,8}$/.test(text) && isTimeout(Number(text)),
    'timeout must be milliseconds from 1 to 86400000',
  )
  .transform(Number)
  .default(DEFAULT_TIMEOUT_MS);

const jsonText = z.string({ error: 'data must be given once' }).default('{}');

const sendQuery = z.object({ all, timeout: timeoutMs });
const emitQuery = z.object({ timeout: timeoutMs });
const streamQuery = z.object({ data: jsonText, timeout: timeoutMs });

/** The query of `POST /send`. */
export function parseSendQuery(query: unknown): z.infer<typeof sendQuery> {
  return parse(sendQuery, query);
}

/** The query of `POST /emit`. */
export function parseEmitQuery(query: unknown): z.infer<typeof emitQuery> {
  return parse(emitQuery, query);
}

/** The query of `GET /stream`. */
export function parseStreamQuery(query: unknown): { readonly data: unknown; readonly timeout: number } {
  const { data, timeout } = parse(streamQuery, query);
  return { data: notNull(parseJson(data, 'ERR_BAD_REQUEST', 'data'), 'ERR_BAD_REQUEST', 'data'), timeout };
}

function parse<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  throw new HttpFailure('ERR_BAD_REQUEST', result.error.issues.map(({ message }) => message).join('; '));
}

function isTimeout(milliseconds: number): boolean {
  return milliseconds >= 1 && milliseconds <= MAX_TIMEOUT_MS;
}
