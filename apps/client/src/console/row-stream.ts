// The rows of the wire tap as lines of JSON (application/x-ndjson), for as long as the reader stays.
import type { ServerResponse } from 'node:http';

import { from, merge } from 'rxjs';
import type { Observable } from 'rxjs';

import { whenClosed } from '../http/in-flight.js';
import { destroyUnread } from '../http/json-reply.js';
import { RowQueue } from '../tap/row-queue.js';
import type { WireTap } from '../tap/wire-tap.js';

/** The rows of this time share a write. */
const FLUSH_INTERVAL_MS = 50;
const STATE_INTERVAL_MS = 1_000;

export interface RowSource {
  readonly tap: WireTap;
  /** The current state, which is sent every second. */
  readonly state: () => object;
  /** Errors when the app shuts down. */
  readonly closing: Observable<never>;
}

/** Sends the rows of the tap until the reader closes the response, or the app shuts down. */
export async function sendRows({ tap, state, closing }: RowSource, response: ServerResponse): Promise<void> {
  const queue = new RowQueue();
  // A reader that takes nothing gets nothing: its queue then counts rows instead of keeping them.
  const flush = (): void => {
    const lines = response.writableNeedDrain ? '' : queue.take();
    if (lines !== '') response.write(lines);
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  destroyUnread(response);
  const detach = tap.attach(queue);
  queue.putState(state());
  flush();
  const timers = [setInterval(() => queue.putState(state()), STATE_INTERVAL_MS), setInterval(flush, FLUSH_INTERVAL_MS)];
  await new Promise<void>((resolve) => {
    const end = (): void => resolve();
    merge(from(whenClosed(response)), closing).subscribe({ next: end, error: end });
  });
  for (const timer of timers) clearInterval(timer);
  detach();
  response.end();
}
