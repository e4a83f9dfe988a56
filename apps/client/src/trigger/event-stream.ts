// Server-sent events, each with an id: `data: JSON` for each value, then `event: complete`, or `event: error` with the
// failure. A comment every 15 s keeps an idle stream open at proxies and both ends.
import type { ServerResponse } from 'node:http';

import type { Observable, Subscription } from 'rxjs';

import type { CallerLimits } from '../http/caller-limits.js';
import { toFailureBody } from '../http/failure/failure-body.js';
import { whenClosed } from '../http/in-flight.js';
import { destroyUnread, toJson } from '../http/json-reply.js';

const MAX_UNREAD_BYTES = 8 * 1_024 * 1_024;
export const HEARTBEAT_MS = 15_000;

/**
 * Sends every value when it arrives. Closing the response unsubscribes and thereby cancels the handler.
 *
 * @throws The error of `values` before the first value and the first heartbeat, while a status can still be sent.
 */
export async function sendEvents(
  values: Observable<unknown>,
  response: ServerResponse,
  limits: CallerLimits,
): Promise<void> {
  const events = new EventWriter(response, limits);
  const heartbeat = setInterval(() => events.beat(), HEARTBEAT_MS);
  let subscription: Subscription | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      subscription = values.subscribe({
        next: (value) => events.value(toJson(value)),
        error: (error: unknown) => {
          if (!response.headersSent) return reject(error);
          events.end('error', JSON.stringify(toFailureBody(error)));
          return resolve();
        },
        complete: () => {
          events.end('complete', '{}');
          resolve();
        },
      });
      void whenClosed(response).then(resolve);
    });
  } finally {
    clearInterval(heartbeat);
    subscription?.unsubscribe();
  }
}

class EventWriter {
  readonly #response: ServerResponse;
  readonly #limits: CallerLimits;
  #lastId = 0;

  constructor(response: ServerResponse, limits: CallerLimits) {
    this.#response = response;
    this.#limits = limits;
  }

  value(json: string): void {
    this.#write(`id: ${this.#nextId()}\ndata: ${json}\n\n`);
  }

  beat(): void {
    this.#write(': alive\n\n');
  }

  end(event: 'complete' | 'error', data: string): void {
    this.#write(`id: ${this.#nextId()}\nevent: ${event}\ndata: ${data}\n\n`);
    this.#response.end();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Writes a text, or ends the stream if too much of it is unread: a slow caller must not fill the memory. */
  #write(text: string): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (!response.headersSent) this.#begin();
    const bytes = Buffer.byteLength(text);
    if (!this.#limits.hold(response, bytes)) {
      response.destroy();
      return;
    }
    response.write(text, () => this.#limits.release(response, bytes));
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }

  #begin(): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // otherwise proxies would buffer the events
    });
    destroyUnread(this.#response);
  }
}
