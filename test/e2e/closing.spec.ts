// What becomes of answers that never end, and of those that do, when one of the sides closes. Nothing here may run into
// the deadline of the drain: it is longer than that of the tests.
import { once } from 'node:events';

import { Controller, Logger, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Ctx, MessagePattern } from '@nestjs/microservices';
import { firstValueFrom, interval, Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { SealwireContext, SealwireServer } from '@sealwire/transport';
import { outcome, startApplication, startCaller } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const LONG = { timeouts: { drainMs: 600_000 } };

let release: Subject<string>;
let aborted: string[];
let server: SealwireServer;

beforeEach(() => {
  release = new Subject();
  aborted = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

class PassOn implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

function noteAbort({ getSignal }: { getSignal: () => AbortSignal }, name: string): void {
  getSignal().addEventListener('abort', () => aborted.push(name));
}

@Controller()
class ClosingController {
  @MessagePattern('ticks')
  ticks(@Ctx() context: SealwireContext): Observable<number> {
    noteAbort({ getSignal: () => context.getSignal() }, 'ticks');
    return interval(5);
  }

  @MessagePattern('generated')
  async *generated(@Ctx() context: SealwireContext): AsyncGenerator<string> {
    const ends = new Promise((resolve) => context.getSignal().addEventListener('abort', resolve));
    yield 'first';
    await ends; // and then it completes: its caller must not take that for the end of the answer
    aborted.push('generated');
  }

  @MessagePattern('silent')
  silent(@Ctx() context: SealwireContext): ReadableStream {
    noteAbort({ getSignal: () => context.getSignal() }, 'silent');
    return new ReadableStream();
  }

  @MessagePattern('hold')
  hold(): Promise<string> {
    return firstValueFrom(release);
  }

  @UseInterceptors(PassOn)
  @MessagePattern('hold behind an interceptor')
  holdBehind(): Promise<string> {
    return firstValueFrom(release);
  }

  @MessagePattern('close')
  async close(): Promise<string> {
    await server.close();
    return 'closed';
  }

  @MessagePattern('close when its caller has left')
  async closeWhenLeft(@Ctx() context: SealwireContext): Promise<void> {
    await once(context.getSignal(), 'abort');
    await server.close();
    aborted.push('closed');
  }

  @UseInterceptors(PassOn)
  @MessagePattern('close behind an interceptor')
  closeBehind(): Promise<string> {
    return this.close();
  }
}

async function start() {
  const application = await startApplication({ controllers: [ClosingController], server: LONG, client: LONG });
  ({ server } = application);
  return application;
}

async function runs(count: number): Promise<void> {
  await expect.poll(() => server.snapshot().running).toBe(count);
}

/** The first value has come. */
function subscribe(values: Observable<unknown>): { first: Promise<unknown>; end: Promise<unknown> } {
  const first = new Subject<unknown>();
  const end = new Promise((resolve) => {
    values.subscribe({ next: (value) => first.next(value), error: resolve, complete: () => resolve('complete') });
  });
  return { first: firstValueFrom(first), end };
}

describe('a client that closes', () => {
  it('ends its subscriptions immediately with an error, and lets its requests finish', async () => {
    const { client } = await start();
    const [ticks, generated] = ['ticks', 'generated'].map((pattern) => subscribe(client.send(pattern, 0)));
    const held = outcome(client.send('hold', 0));
    await Promise.all([ticks?.first, generated?.first, runs(3)]);
    const closed = client.close();
    const error = { code: 'ERR_CLIENT_CLOSED', sent: true };
    expect(await Promise.all([ticks?.end, generated?.end])).toMatchObject([error, error]);
    await runs(1);
    release.next('held');
    expect(await held).toBe('held');
    await closed;
  });

  it('does not wait for the answer to its CLOSE if nothing runs', async () => {
    server = await startServer();
    const proxy = await TcpProxy.to(portOf(server));
    const client = newClient(proxy.port);
    await firstValueFrom(client.send('echo', 1));
    const socket = client.unwrap();
    const isClosed = once(socket, 'close');
    proxy.last?.server.pause(); // the answer gets no farther
    await client.close();
    expect(socket.destroyed).toBe(false);
    await expect.poll(() => server.snapshot().connections).toBe(0);
    proxy.last?.server.resume();
    await isClosed;
    proxy.close();
  });

  it('logs every second what it waits for, even if a logger throws', async () => {
    const lines: unknown[] = [];
    const { client } = await start();
    vi.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => {
      lines.push(line);
      throw new Error('the disk is full');
    });
    const held = ['hold', 'hold behind an interceptor'].map((pattern) => outcome(client.send(pattern, 0)));
    await runs(2);
    const closed = client.close();
    const line = `Closing: waiting for 2 calls on 1 connection to 127.0.0.1:${portOf(server)}`;
    await expect.poll(() => lines.filter((each) => each === line).length, { timeout: 20_000 }).toBeGreaterThan(1);
    release.next('held');
    await Promise.all([...held, closed]);
  });

  it('ends a subscription whose first value arrives while it closes', async () => {
    const { client } = await start();
    const held = outcome(client.send('hold', 0));
    const values = new Subject<number>();
    server.addHandler('late', () => Promise.resolve(values));
    const late = subscribe(client.send('late', 0));
    await runs(2);
    const closed = client.close();
    values.next(1);
    expect(await late.first).toBe(1);
    expect(await late.end).toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
    release.next('held');
    await Promise.all([held, closed]);
  });

  it('does not wait for the subscriber that closes it', async () => {
    const { client } = await start();
    await new Promise<void>((resolve) => {
      client.send('ticks', 0).subscribe({ next: () => void client.close().then(resolve), error: () => undefined });
    });
    expect(client.snapshot().connections).toBe(0);
  });
});

describe('a server that closes', () => {
  it('ends endless answers with an error, even if their source resists, and lets requests finish', async () => {
    const { client } = await start();
    const printed = vi.spyOn(Logger.prototype, 'log').mockImplementation(() => {
      throw new Error('the disk is full');
    });
    const endless = ['ticks', 'generated', 'silent'].map((pattern) => subscribe(client.send(pattern, 0)));
    const held = ['hold', 'hold behind an interceptor'].map((pattern) => outcome(client.send(pattern, 0)));
    await Promise.all([...endless.slice(0, 2).map(({ first }) => first), runs(5)]);
    const closed = server.close();
    const error = { code: 'ERR_STREAM_CUT', message: 'The server shut down before the answer was complete' };
    expect(await Promise.all(endless.map(({ end }) => end))).toMatchObject([error, error, error]);
    await expect.poll(() => aborted.sort()).toEqual(['generated', 'silent', 'ticks']);
    const line = 'Closing: waiting for 2 requests on 1 connection: hold, hold behind an interceptor';
    await expect.poll(() => printed.mock.calls.map(([entry]) => entry as unknown)).toContain(line);
    release.next('held');
    expect(await Promise.all(held)).toEqual(['held', 'held']);
    await closed;
  });

  it.each(['close', 'close behind an interceptor'])(
    'does not wait for the handler that closes it, and answers its caller: %s',
    async (pattern) => {
      const { client } = await start();
      expect(await outcome(client.send(pattern, 0))).toBe('closed');
      await server.close();
      expect(server.snapshot().connections).toBe(0);
    },
  );

  it('has ended when a handler whose connection is gone closes it', async () => {
    const { client } = await start();
    server.on('close', () => aborted.push('listener'));
    const answer = outcome(client.send('close when its caller has left', 0));
    await runs(1);
    client.unwrap().destroy();
    await answer;
    await expect.poll(() => aborted).toEqual(['listener', 'closed']);
  });

  it('waits for all other requests when several handlers close it', async () => {
    const { client } = await start();
    const other = await startCaller(portOf(server), LONG);
    await other.connect();
    const held = outcome(client.send('hold', 0));
    await runs(1);
    const ends: string[] = [];
    const closers = [client, other, client].map(async (caller) => {
      const answer = await outcome(caller.send('close', 0));
      ends.push(String(answer));
    });
    await runs(4);
    expect(ends).toEqual([]);
    release.next('held');
    await Promise.all(closers);
    expect(await held).toBe('held');
    expect(ends).toEqual(['closed', 'closed', 'closed']);
  });
});
