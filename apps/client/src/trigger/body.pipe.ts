import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';

import { createParamDecorator, Inject, Injectable } from '@nestjs/common';
import type { ExecutionContext, PipeTransform } from '@nestjs/common';

import { callerOf } from '../http/caller.js';
import { CallerLimits } from '../http/caller-limits.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import { BodyReader } from './body-reader.js';
import { MAX_MESSAGE_BYTES, parseBody } from './body.js';

/** How long a body that is too large may go on: a caller that is cut off while it writes may never read the answer. */
const LET_GO_MS = 1_000;

/** How many bodies are read at once. Each may hold {@link UNCOUNTED_BYTES} beside what its caller is granted. */
export const MAX_BODIES = 1_024;

/** Not counted of each body: others at the address of a caller that has taken all it may hold can still make small calls. */
const UNCOUNTED_BYTES = 16_384;

/** What a value of JSON takes in memory, about: an empty object, the smallest for its text, has 56. */
const BYTES_OF_A_NODE = 48;

/** Reads a body up to {@link MAX_MESSAGE_BYTES}; what is longer is let go by unread, so that the answer arrives. */
@Injectable()
export class BodyPipe implements PipeTransform<ServerResponse, Promise<unknown>> {
  readonly #limits: CallerLimits;
  /** The bodies that are being read, each with its caller; the one without progress for the longest time comes first. */
  readonly #readers = new Map<BodyReader, string>();

  constructor(@Inject(CallerLimits) limits: CallerLimits) {
    this.#limits = limits;
  }

  async transform(response: ServerResponse): Promise<unknown> {
    const { req: request } = response;
    const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = request.headers;
    if (encoding !== 'identity') throw new HttpFailure('ERR_MEDIA_TYPE', 'Compressed bodies are not supported');
    const body = Number(length) > MAX_MESSAGE_BYTES ? undefined : await this.#read(response);
    if (body !== undefined) {
      return parseBody(request.headers['content-type'], body, (nodes) => this.#holdNodes(response, nodes));
    }
    await letGo(request);
    throw new HttpFailure('ERR_BODY_TOO_LARGE', `The body is too large: at most ${MAX_MESSAGE_BYTES} bytes`);
  }

  #holdNodes(response: ServerResponse, nodes: number): void {
    if (this.#limits.hold(response, nodes * BYTES_OF_A_NODE)) return;
    throw new HttpFailure('ERR_BUSY', 'Too many values in the JSON of all calls at once');
  }

  /** Returns the body; undefined once it turns out to be too large. */
  async #read(response: ServerResponse): Promise<Buffer | undefined> {
    const caller = callerOf(response.req);
    const reader = new BodyReader(response.req, {
      maxBytes: MAX_MESSAGE_BYTES,
      progress: (before, after) => {
        this.#readers.delete(reader);
        this.#readers.set(reader, caller);
        const counted = Math.max(0, after - UNCOUNTED_BYTES) - Math.max(0, before - UNCOUNTED_BYTES);
        return counted === 0 || this.#limits.hold(response, counted);
      },
    });
    this.#readers.set(reader, caller);
    if (this.#readers.size > MAX_BODIES) this.#endStalest();
    try {
      return await reader.read();
    } catch (error) {
      if (!response.req.complete) response.setHeader('connection', 'close'); // the rest of it may never come
      throw error;
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** Of the caller that has most of them: one that opens many ends none but its own. */
  #endStalest(): void {
    const counts = new Map<string, number>();
    for (const caller of this.#readers.values()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const [stalest] = [...this.#readers].find(([, caller]) => counts.get(caller) === most) ?? [];
    if (stalest === undefined) return;
    this.#readers.delete(stalest); // it ends a little later, and the next one that is too many must end another
    stalest.fail(new HttpFailure('ERR_BUSY', `Too many bodies at once: at most ${MAX_BODIES}`));
  }
}

const RawResponse = createParamDecorator((_: undefined, context: ExecutionContext) =>
  context.switchToHttp().getResponse(),
);

/** The parsed body. It is read only here, after all guards: no stranger makes this app buffer anything. */
export const MessageBody = (): ParameterDecorator => RawResponse(BodyPipe);

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
