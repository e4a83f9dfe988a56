import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';

import { createParamDecorator, Inject, Injectable } from '@nestjs/common';
import type { ExecutionContext, PipeTransform } from '@nestjs/common';

import { callerOf } from '../http/caller.js';
import { CallerLimits } from '../http/caller-limits.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import { BodyReader } from './body-reader.js';
import { MAX_MESSAGE_BYTES, parseBody } from './body.js';

/** The time for which a body that is too large is read on: a caller that is cut off while writing may not read the answer. */
const LET_GO_MS = 1_000;

/**
 * The number of bodies that are read at the same time. Each may have {@link UNCOUNTED_BYTES} beyond the limit of its
 * caller.
 */
export const MAX_BODIES = 1_024;

/** The bytes of each body that are not counted, so that small calls still pass if another caller at the address is full. */
const UNCOUNTED_BYTES = 16_384;

/** The approximate memory of a JSON value. An empty object, which has the shortest text for its size, has 56 bytes. */
const BYTES_OF_A_NODE = 48;

/** Reads a body of at most {@link MAX_MESSAGE_BYTES}. A longer one is discarded, so that the caller reads the answer. */
@Injectable()
export class BodyPipe implements PipeTransform<ServerResponse, Promise<unknown>> {
  readonly #limits: CallerLimits;
  /** The bodies that are being read, each with its caller, in the order of their last progress. */
  readonly #readers = new Map<BodyReader, string>();

  constructor(@Inject(CallerLimits) limits: CallerLimits) {
    this.#limits = limits;
  }

  async transform(response: ServerResponse): Promise<unknown> {
    const { req: request } = response;
    const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = request.headers;
    if (encoding !== 'identity')
      throw new HttpFailure(
        'ERR_MEDIA_TYPE',
        'Compressed bodies are not supported; send the body without Content-Encoding',
      );
    const body = Number(length) > MAX_MESSAGE_BYTES ? undefined : await this.#read(response);
    if (body !== undefined) {
      return parseBody(request.headers['content-type'], body, (nodes) => this.#holdNodes(response, nodes));
    }
    await letGo(request);
    throw new HttpFailure('ERR_BODY_TOO_LARGE', `The body is too large; expected at most ${MAX_MESSAGE_BYTES} bytes`);
  }

  #holdNodes(response: ServerResponse, nodes: number): void {
    if (this.#limits.hold(response, nodes * BYTES_OF_A_NODE)) return;
    throw new HttpFailure(
      'ERR_BUSY',
      'The app is busy: the JSON of the open calls has too many values; try again later',
    );
  }

  /** Returns the body, or undefined if it is too large. */
  async #read(response: ServerResponse): Promise<Buffer | undefined> {
    const caller = callerOf(response.req);
    const reader = new BodyReader(response.req, {
      maxBytes: MAX_MESSAGE_BYTES,
      onProgress: (before, after) => {
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
      if (!response.req.complete) response.setHeader('connection', 'close'); // its rest may never arrive
      throw error;
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** Ends the stalest body of the caller with the most bodies: a caller that opens many ends only its own. */
  #endStalest(): void {
    const counts = new Map<string, number>();
    for (const caller of this.#readers.values()) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const [stalest] = [...this.#readers].find(([, caller]) => counts.get(caller) === most) ?? [];
    if (stalest === undefined) return;
    this.#readers.delete(stalest); // now, because it ends later and the next surplus body must end another one
    stalest.fail(
      new HttpFailure(
        'ERR_BUSY',
        `The app is busy: it reads at most ${MAX_BODIES} bodies at the same time; try again later`,
      ),
    );
  }
}

const RawResponse = createParamDecorator((_: undefined, context: ExecutionContext) =>
  context.switchToHttp().getResponse(),
);

/**
 * Decorates a parameter that gets the parsed body. The body is read after all guards, so that a caller without a token
 * cannot make this app buffer anything.
 */
export const MessageBody = (): ParameterDecorator => RawResponse(BodyPipe);

/** Discards the rest of a body. Resolves at its end, or after {@link LET_GO_MS}. */
function letGo(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LET_GO_MS);
    finished(request.resume(), () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
