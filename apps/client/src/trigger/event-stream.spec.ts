import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { NEVER, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CALLER_BOUNDS, CallerLimits } from '../http/caller-limits.js';
import { UNREAD_TIMEOUT_MS } from '../http/json-reply.js';
import { HEARTBEAT_MS, sendEvents } from './event-stream.js';

/** A caller that reads immediately, or nothing at all. */
class Caller extends Socket {
  received = '';
  timeoutMs = 0;

  constructor(private readonly reads: boolean) {
    super();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.received += chunk.toString('latin1', 0, 200);
    if (this.reads) done();
  }

  override setTimeout(milliseconds: number): this {
    this.timeoutMs = milliseconds;
    return this;
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(caller: Caller): ServerResponse {
  const response = new ServerResponse(new IncomingMessage(caller));
  response.assignSocket(caller);
  return response;
}

describe('an event stream', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => vi.useRealTimers());

  it('sends comments while there is no value, also before the first one', async () => {
    const caller = new Caller(true);
    const response = open(caller);
    const sent = sendEvents(NEVER, response, new CallerLimits());
    vi.advanceTimersByTime(HEARTBEAT_MS);
    await settle();
    expect(caller.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    vi.advanceTimersByTime(HEARTBEAT_MS);
    await settle();
    expect(caller.received.match(/^: alive$/gm)).toHaveLength(2);
    response.destroy();
    await sent;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends if its caller reads nothing, whatever is written', async () => {
    const caller = new Caller(false);
    const response = open(caller);
    const values = new Subject<number>();
    const sent = sendEvents(values, response, new CallerLimits());
    values.next(1);
    expect(caller.timeoutMs).toBe(UNREAD_TIMEOUT_MS);
    expect(UNREAD_TIMEOUT_MS).toBeGreaterThan(HEARTBEAT_MS);
    response.emit('timeout');
    await sent;
    expect(values.observed).toBe(false);
  });

  it('ends if one caller leaves too much unread on many streams, while those of another continue', async () => {
    const limits = new CallerLimits();
    const values = new Subject<string>();
    const large = 'x'.repeat(7_900_000);
    const count = Math.floor(CALLER_BOUNDS.bytes.each / large.length) + 1;
    const silent = Array.from({ length: count }, () => open(new Caller(false)));
    const reading = open(new Caller(true));
    Object.assign(reading.req, { ip: '192.0.2.1' });
    for (const response of [...silent, reading]) void sendEvents(values, response, limits);
    values.next(large);
    await settle();
    expect(silent.filter((response) => response.destroyed)).toHaveLength(1);
    for (const response of silent) response.destroy();
    for (let more = 0; more < count; more++) {
      values.next(large);
      await settle();
    }
    expect(reading.destroyed).toBe(false);
  });
});
