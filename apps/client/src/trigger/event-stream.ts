// Server-sent events: `data: JSON` for each value, then `event: complete`, or `event: error` with the failure.
import type { ServerResponse } from 'node:http';

import type { Observable, Subscription } from 'rxjs';

import { toFailureBody } from '../http/failure-body.js';
import { whenClosed } from '../http/in-flight.js';
import { toJson } from '../http/json-reply.js';

const MAX_UNREAD_BYTES = 8 * 1_024 * 1_024;

/**
 * Sends every value as it comes. Closing the response unsubscribes, and so cancels the handler.
 *
 * @throws What `values` fails with before the first of them: nothing has been sent then, and a status still can be.
 */
export async function sendEvents(values: Observable<unknown>, response: ServerResponse): Promise<void> {
  let subscription: Subscription | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      subscription = values.subscribe({
        next: (value) => sendEvent(response, `data: ${toJson(value)}\n\n`),
        error: (error: unknown) => {
          if (!response.headersSent) return reject(error);
          endEvents(response, 'error', JSON.stringify(toFailureBody(error)));
          return resolve();
        },
        complete: () => {
          endEvents(response, 'complete', '{}');
          resolve();
        },
      });
      void whenClosed(response).then(resolve);
    });
  } finally {
    subscription?.unsubscribe();
  }
}

function sendEvent(response: ServerResponse, event: string): void {
  if (!response.headersSent) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // proxies must not collect what is meant to be seen at once
    });
  }
  response.write(event);
  // Who does not read must not make this app keep the rest.
  if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
}

function endEvents(response: ServerResponse, event: 'complete' | 'error', data: string): void {
  sendEvent(response, `event: ${event}\ndata: ${data}\n\n`);
  response.end();
}
