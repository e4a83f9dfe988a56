import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';

import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { MAX_QUEUED_ROWS } from '../tap/row-queue.js';
import { WireTap } from '../tap/wire-tap.js';
import { sendRows } from './row-stream.js';

/** A response whose reader takes nothing until {@link read}. */
class SlowResponse extends Writable {
  readonly lines: string[] = [];
  #take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  writeHead(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.lines.push(...chunk.toString().trim().split('\n'));
    this.#take = callback;
  }

  read(): void {
    this.#take?.();
  }
}

describe('the rows of the tap for a slow reader', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('are limited and counted while it reads nothing, and end with the app', async () => {
    const tap = new WireTap();
    const connection = tap.open('127.0.0.1:8080', '0123456789abcdef');
    const response = new SlowResponse();
    const closing = new Subject<never>();
    const ended = sendRows({ tap, state: () => ({ kind: 'state' }), closing }, response as unknown as ServerResponse);
    for (let count = 0; count < 10 * MAX_QUEUED_ROWS; count++) {
      connection.note({ direction: 'sent', type: 'DATA', bytes: 50, sealed: 'ab' });
      if (count % 100 === 0) vi.advanceTimersByTime(50);
    }
    expect(response.lines).toEqual(['{"kind":"state"}']);
    response.read();
    await new Promise(setImmediate);
    vi.advanceTimersByTime(50);
    expect(response.lines).toHaveLength(1 + MAX_QUEUED_ROWS + 2);
    expect(response.lines).toContain(`{"kind":"lost","rows":${9 * MAX_QUEUED_ROWS}}`);
    expect(tap.isWatched).toBe(true);
    closing.error(new Error('The app shuts down'));
    await ended;
    expect(tap.isWatched).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});
