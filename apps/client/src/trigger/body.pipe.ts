import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';

import { createParamDecorator, Injectable } from '@nestjs/common';
import type { ExecutionContext, PipeTransform } from '@nestjs/common';

import { HttpFailure } from '../http/http-failure.js';
import { MAX_MESSAGE_BYTES, parseBody } from './body.js';

/** How long a body that is too large may go on: a caller that is cut off while he writes may never read the answer. */
const LET_GO_MS = 1_000;

/** How much of all bodies together may be held while they are read, whoever sends them. */
export const MAX_HELD_BYTES = 8 * MAX_MESSAGE_BYTES;

/** Reads a body up to {@link MAX_MESSAGE_BYTES}; what is longer is let go by unread, so that the answer arrives. */
@Injectable()
export class BodyPipe implements PipeTransform<IncomingMessage, Promise<unknown>> {
  #heldBytes = 0;

  async transform(request: IncomingMessage): Promise<unknown> {
    const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = request.headers;
    if (encoding !== 'identity') throw new HttpFailure('ERR_MEDIA_TYPE', 'A body cannot be compressed');
    const body = Number(length) > MAX_MESSAGE_BYTES ? undefined : await this.#read(request);
    if (body !== undefined) return parseBody(request.headers['content-type'], body);
    await letGo(request);
    throw new HttpFailure('ERR_BODY_TOO_LARGE', `A body has at most ${MAX_MESSAGE_BYTES} bytes`);
  }

  /** @returns The body; undefined once it turns out to be too large. */
  async #read(request: IncomingMessage): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      return await new Promise((resolve, reject) => {
        request.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          this.#heldBytes += chunk.length;
          if (bytes > MAX_MESSAGE_BYTES) resolve(undefined);
          else if (this.#heldBytes > MAX_HELD_BYTES) reject(new HttpFailure('ERR_BUSY', 'Too many bodies at once'));
        });
        request.once('end', () => resolve(Buffer.concat(chunks)));
        request.once('close', () => reject(new HttpFailure('ERR_BAD_BODY', 'The body broke off'))); // the caller has gone
      });
    } finally {
      request.removeAllListeners('data').resume(); // the rest goes by
      chunks.length = 0;
      this.#heldBytes -= bytes;
    }
  }
}

const RawRequest = createParamDecorator((_: undefined, context: ExecutionContext) =>
  context.switchToHttp().getRequest(),
);

/** The parsed body. It is read only here, after all guards: no stranger makes this app buffer anything. */
export const MessageBody = (): ParameterDecorator => RawRequest(BodyPipe);

/** Resolves at the end of the body, or when the caller has had {@link LET_GO_MS}. */
function letGo(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LET_GO_MS);
    finished(request.resume(), () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
