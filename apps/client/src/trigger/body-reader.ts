import type { IncomingMessage } from 'node:http';

import { HttpFailure } from '../http/failure/http-failure.js';

/** The time that a body may take without progress. */
export const BODY_STALL_MS = 5_000;
/** The time that a body may take. */
export const BODY_TIMEOUT_MS = 30_000;

export interface BodyReaderOptions {
  readonly maxBytes: number;
  /** Called with the number of bytes before and after each chunk. Returns whether there is room for them. */
  readonly onProgress: (before: number, after: number) => boolean;
}

/** Reads one body while it makes progress. */
export class BodyReader {
  readonly #request: IncomingMessage;
  readonly #options: BodyReaderOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #reject: (failure: HttpFailure) => void = () => undefined;

  constructor(request: IncomingMessage, options: BodyReaderOptions) {
    this.#request = request;
    this.#options = options;
  }

  /** Returns the body, or undefined as soon as it is too large. The rest is discarded. */
  async read(): Promise<Buffer | undefined> {
    const expire = (): void =>
      this.fail(new HttpFailure('ERR_BODY_TIMEOUT', 'The body did not arrive in time; send it faster, or send less'));
    const stall = setTimeout(expire, BODY_STALL_MS);
    const late = setTimeout(expire, BODY_TIMEOUT_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#reject = reject;
        this.#request.on('data', (chunk: Buffer) => {
          stall.refresh();
          if (!this.#take(chunk)) resolve(undefined);
        });
        this.#request.once('end', () => resolve(Buffer.concat(this.#chunks)));
        this.#request.once('close', () => reject(new HttpFailure('ERR_BAD_BODY', 'The body is incomplete'))); // the caller has gone
      });
    } finally {
      clearTimeout(stall);
      clearTimeout(late);
      this.#request.removeAllListeners('data').resume();
      this.#chunks.length = 0;
    }
  }

  fail(failure: HttpFailure): void {
    this.#reject(failure);
  }

  /** Returns whether the body is still small enough. */
  #take(chunk: Buffer): boolean {
    const before = this.#bytes;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxBytes) return false;
    this.#chunks.push(chunk);
    if (!this.#options.onProgress(before, this.#bytes)) {
      this.fail(
        new HttpFailure(
          'ERR_BUSY',
          'The app is busy: the bodies and answers of the open calls exceed their memory limit; try again later',
        ),
      );
    }
    return true;
  }
}
