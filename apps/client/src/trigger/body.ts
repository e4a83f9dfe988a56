import type { IncomingMessage } from 'node:http';

import { createParamDecorator, Injectable } from '@nestjs/common';
import type { ExecutionContext, PipeTransform } from '@nestjs/common';
import { z } from 'zod';

import { HttpFailure } from '../http/http-failure.js';
import { parseJson } from './json.js';

/** The largest message of the channel, and so the largest body. */
export const MAX_MESSAGE_BYTES = 8 * 1_024 * 1_024;

const utf8 = new TextDecoder('utf-8', { fatal: true }); // lenient decoding would hide corruption

const ACCEPTED = 'Send application/json (in UTF-8) or application/octet-stream';

/**
 * Makes of a body what the message carries: JSON of any kind but null, `{}` where the body is empty, or raw bytes.
 *
 * @param contentType - The header, if there is one. What a browser sends without asking first is not accepted.
 */
export function parseBody(contentType: string | undefined, body: Buffer): unknown {
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
    : notNull(parseJson(decode(body), 'ERR_BAD_BODY', 'The body'), 'ERR_BAD_BODY', 'The body');
}

/** Nest sends no message without data, and takes null for none. */
export function notNull(value: unknown, code: 'ERR_BAD_BODY' | 'ERR_BAD_REQUEST', what: string): unknown {
  if (value === null) throw new HttpFailure(code, `${what} must not be null: no message is sent without data`);
  return value;
}

const messageBody = z.object({ text: z.string().default('Hello Server!') });

/** The body of `POST /messages`. */
export function parseMessage(body: unknown): z.infer<typeof messageBody> {
  if (body instanceof Uint8Array) throw new HttpFailure('ERR_MEDIA_TYPE', 'Send application/json');
  const result = messageBody.safeParse(body);
  if (result.success) return result.data;
  throw new HttpFailure('ERR_BAD_BODY', 'The body must be { "text": "…" }, or empty');
}

/** Reads a body up to {@link MAX_MESSAGE_BYTES}; what is longer is let go by unread, so that the answer arrives. */
@Injectable()
export class BodyPipe implements PipeTransform<IncomingMessage, Promise<unknown>> {
  async transform(request: IncomingMessage): Promise<unknown> {
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new HttpFailure('ERR_MEDIA_TYPE', 'A body cannot be compressed');
    }
    return parseBody(request.headers['content-type'], await readBody(request));
  }
}

const RawRequest = createParamDecorator((_: undefined, context: ExecutionContext) =>
  context.switchToHttp().getRequest(),
);

/** The parsed body. It is read only here, after all guards: no stranger makes this app buffer anything. */
export const MessageBody = (): ParameterDecorator => RawRequest(BodyPipe);

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = Number(request.headers['content-length'] ?? 0);
  if (bytes <= MAX_MESSAGE_BYTES) {
    bytes = 0;
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > MAX_MESSAGE_BYTES) break;
      chunks.push(chunk);
    }
  }
  if (bytes <= MAX_MESSAGE_BYTES) return Buffer.concat(chunks, bytes);
  request.resume();
  throw new HttpFailure('ERR_BODY_TOO_LARGE', `A body has at most ${MAX_MESSAGE_BYTES} bytes`);
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
