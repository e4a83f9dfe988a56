// Handlers that return what can be waited for: async generators and Node streams.
import { Readable } from 'node:stream';

import { Controller, Logger, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { MessagePattern, RpcException } from '@nestjs/microservices';
import { firstValueFrom, from, lastValueFrom, take, tap, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { RemoteError } from '@sealwire/transport';
import type { SealwireClient, SealwireServer } from '@sealwire/transport';
import { all, EchoController, outcome, startApplication, startCaller } from '../support/application.js';
import type { ApplicationOptions } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';

const CHUNK_BYTES = 65_536;

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

/** An application with one more handler, and a client of it. */
async function serve(
  handler: () => unknown,
  limits: Pick<ApplicationOptions, 'server'> = {},
): Promise<{ server: SealwireServer; caller: SealwireClient }> {
  @Controller()
  class ValuesController {
    @MessagePattern('values')
    values(): unknown {
      return handler();
    }
  }

  const { client: caller, server } = await startApplication({
    controllers: [EchoController, ValuesController],
    ...limits,
  });
  return { server, caller };
}

const values = (caller: SealwireClient): Observable<unknown> => caller.send('values', 0);

/** Resolves when `read` gives the same number before and after other calls have come and gone. */
async function settled(server: SealwireServer, read: () => number): Promise<number> {
  const other = await startCaller(portOf(server));
  for (;;) {
    const before = read();
    for (let i = 0; i < 50; i++) await firstValueFrom(other.send('echo', i));
    if (read() === before) return before;
  }
}

describe('an async generator', () => {
  it('answers with its values in order, then completes', async () => {
    const { caller } = await serve(async function* () {
      yield 1;
      yield await Promise.resolve('two');
      yield Buffer.from('three');
    });
    expect(await lastValueFrom(values(caller).pipe(toArray()))).toEqual([1, 'two', Buffer.from('three')]);
  });

  it('that never waits does not starve the event loop, even if the connection takes everything', async () => {
    let turn = 0;
    const turns = new Set<number>();
    const { caller } = await serve(async function* () {
      let isOver = false;
      const count = (): void => {
        turn += 1;
        if (!isOver) setImmediate(count);
      };
      count();
      for (let yielded = 0; yielded < 64; yielded++) {
        turns.add(turn);
        yield Buffer.alloc(CHUNK_BYTES);
      }
      isOver = true;
    });
    await lastValueFrom(values(caller));
    expect(turns.size).toBeGreaterThan(8);
  });

  it('that never ends and never waits does not starve the event loop, however many there are', async () => {
    const { server, caller } = await serve(async function* () {
      for (;;) yield 1;
    });
    const other = await startCaller(portOf(server));
    let received = 0;
    const observer = { next: () => (received += 1), error: () => undefined };
    const open = Array.from({ length: 100 }, () => values(caller).subscribe(observer));
    for (let asked = 0; asked < 10; asked++) expect(await firstValueFrom(other.send('echo', asked))).toBe(asked);
    expect(received).toBeGreaterThan(1_000);
    for (const each of open) each.unsubscribe();
    expect(await firstValueFrom(caller.send('echo', 'after'))).toBe('after');
  });

  it('that yields nothing completes without a value', async () => {
    // oxlint-disable-next-line require-yield
    const { caller } = await serve(async function* () {
      await Promise.resolve();
    });
    expect(await lastValueFrom(values(caller).pipe(toArray()))).toEqual([]);
  });

  it('that throws fails after its earlier values', async () => {
    const { caller } = await serve(async function* () {
      yield 1;
      throw { status: 'error', message: 'no more' }; // oxlint-disable-line no-throw-literal
    });
    const seen: unknown[] = [];
    await expect(lastValueFrom(values(caller).pipe(take(2), toArray()))).rejects.toMatchObject({ message: 'no more' });
    values(caller).subscribe({ next: (value) => seen.push(value), error: () => seen.push('error') });
    await expect.poll(() => seen).toEqual([1, 'error']);
  });

  it('is pulled only as fast as the connection takes its values', async () => {
    let pulled = 0;
    let ended = false;
    const { server, caller } = await serve(async function* () {
      try {
        for (;;) {
          pulled += 1;
          yield Buffer.alloc(CHUNK_BYTES);
        }
      } finally {
        ended = true;
      }
    });
    let received = 0;
    const subscription = values(caller).subscribe(() => {
      received += 1;
      if (received === 1) caller.unwrap().pause();
    });
    await expect.poll(() => received).toBeGreaterThan(0);
    const stalled = await settled(server, () => pulled);
    caller.unwrap().resume();
    await expect.poll(() => pulled).toBeGreaterThan(2 * stalled);
    subscription.unsubscribe();
    await expect.poll(() => ended).toBe(true);
    expect(pulled - received).toBeLessThan((64 * 1_024 * 1_024) / CHUNK_BYTES);
  });

  it.each([
    ['the caller unsubscribes', (caller: SealwireClient, unsubscribe: () => void) => (unsubscribe(), caller)],
    ['the client closes', (caller: SealwireClient) => caller.close()],
    ['the connection is lost', (caller: SealwireClient) => caller.unwrap().destroy()],
  ])('ends at its next yield when %s, and cleans up', async (_what, leave) => {
    let ended = false;
    const { caller } = await serve(async function* () {
      try {
        for (let tick = 0; ; tick++) {
          yield tick;
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        ended = true;
      }
    });
    await new Promise<void>((resolve) => {
      const subscription = values(caller).subscribe({
        next: (tick) => {
          if (tick === 3) resolve(void leave(caller, () => subscription.unsubscribe()));
        },
        error: () => undefined,
      });
    });
    await expect.poll(() => ended).toBe(true);
  });

  it('passes through an interceptor as its values', async () => {
    const { client: caller } = await startApplication({ controllers: [InterceptedController] });
    expect(await lastValueFrom(values(caller).pipe(toArray()))).toEqual([1, 2, 3]);
    await expect(lastValueFrom(caller.send('broken', 0).pipe(toArray()))).rejects.toMatchObject({
      message: 'Internal server error',
    });
  });
});

describe('an error that a generator throws', () => {
  it.each([
    ['an RpcException with a text', new RpcException('no rain'), { status: 'error', message: 'no rain' }],
    ['an RpcException with an object', new RpcException({ message: 'no rain', article: 'plum' }), { article: 'plum' }],
    ['another error', new RangeError('a secret'), { status: 'error', message: 'Internal server error' }],
  ])('arrives after the values in the form of Nest’s filter: %s', async (_what, error, fields) => {
    thrown = error;
    const { client: caller } = await startApplication({ controllers: [ThrowingController] });
    const seen: unknown[] = [];
    const failure = await new Promise((resolve) => {
      caller.send('throws', 0).subscribe({ next: (value) => seen.push(value), error: resolve });
    });
    expect(seen).toEqual([1]);
    expect(failure).toMatchObject(fields);
    expect(failure).toBeInstanceOf(RemoteError);
  });

  it('is logged with its stack, unless it was meant for the caller', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const { client: caller } = await startApplication({ controllers: [ThrowingController] });
    for (const error of [new RpcException('for the caller'), new RangeError('for the log')]) {
      thrown = error;
      await outcome(caller.send('throws', 0));
    }
    const entries = logged.mock.calls.map(([entry]) => entry as unknown);
    expect(entries).toEqual([
      expect.objectContaining({
        kind: 'handler',
        pattern: 'throws',
        message: expect.stringContaining('for the log') as string,
      }),
    ]);
    expect(String((entries[0] as Error).stack)).toContain('streams.spec');
  });
});

let thrown: Error = new Error('none');

@Controller()
class ThrowingController {
  @MessagePattern('throws')
  async *throws(): AsyncGenerator<number> {
    yield 1;
    throw thrown;
  }
}

class PassOn implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@UseInterceptors(PassOn)
@Controller()
class InterceptedController {
  @MessagePattern('values')
  async *values(): AsyncGenerator<number> {
    yield* [1, 2, 3];
  }

  @MessagePattern('broken')
  async *broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('inside');
  }
}

describe('several iterables of one observable', () => {
  it('answer with all their values, and never exceed the limit of waiting ones, however slowly they are read', async () => {
    async function* twenty(): AsyncGenerator<Buffer> {
      for (let left = 20; left > 0; left--) yield Buffer.alloc(30_000);
    }
    const limits = { server: { limits: { maxQueuedBytes: 65_536 } } };
    const { caller } = await serve(() => from(Array.from({ length: 8 }, twenty)), limits);
    let received = 0;
    const answer = lastValueFrom(
      values(caller).pipe(
        tap(() => {
          received += 1;
          if (received > 1) return;
          caller.unwrap().pause();
          setImmediate(() => caller.unwrap().resume());
        }),
        toArray(),
      ),
    );
    expect(await answer).toHaveLength(160);
  });
});

describe('a web stream', () => {
  it('answers with its chunks', async () => {
    const { caller } = await serve(() => ReadableStream.from(['ab', Buffer.from('c')]));
    expect(await all(values(caller))).toEqual(['ab', Buffer.from('c')]);
  });

  it('fails the answer after its chunks', async () => {
    const source = (): ReadableStream =>
      new ReadableStream({
        pull: (controller) => (controller.enqueue('first'), controller.error(new RpcException('no more'))),
      });
    const { caller } = await serve(source);
    expect(await outcome(values(caller))).toMatchObject({ message: 'no more' });
  });

  it('is cancelled when the caller unsubscribes, and frees the place of its handler', async () => {
    let cancelled = 0;
    const source = (): ReadableStream =>
      new ReadableStream({ start: (controller) => controller.enqueue('first'), cancel: () => void (cancelled += 1) });
    const { caller, server } = await serve(source, { server: { limits: { maxRunning: 1 } } });
    for (let call = 1; call <= 3; call++) {
      expect(await firstValueFrom(values(caller))).toBe('first');
      await expect.poll(() => [cancelled, server.snapshot().running]).toEqual([call, 0]);
    }
  });
});

describe('a Node stream', () => {
  it('that fails while the connection is full fails only its answer', async () => {
    let source: Readable | undefined;
    const limits = { server: { limits: { maxQueuedBytes: 65_536 } } };
    const { caller, server } = await serve(() => (source ??= new Readable({ read() {} })), limits);
    server.addHandler('fill', () => Promise.resolve(Buffer.alloc(8_000_000)));
    await caller.connect();
    caller.unwrap().pause();
    const fill = outcome(caller.send('fill', 0));
    const answer = outcome(values(caller));
    await expect.poll(() => source).toBeDefined();
    source?.destroy(new RpcException('no such file'));
    await expect.poll(() => source?.closed).toBe(true);
    caller.unwrap().resume();
    expect(await answer).toMatchObject({ message: 'no such file' });
    expect(await fill).toHaveLength(8_000_000);
  });

  it('answers with its chunks as bytes', async () => {
    const { caller } = await serve(() => Readable.from([Buffer.from('ab'), Buffer.from('c')]));
    expect(await lastValueFrom(values(caller).pipe(toArray()))).toEqual([Buffer.from('ab'), Buffer.from('c')]);
  });

  it('is destroyed when the caller unsubscribes, also while it waits for its source', async () => {
    let waiting: Readable | undefined;
    const { caller } = await serve(() => {
      waiting = new Readable({ read() {} });
      waiting.push('first');
      return waiting;
    });
    const first = await firstValueFrom(values(caller));
    expect(first).toEqual(Buffer.from('first'));
    await expect.poll(() => waiting?.destroyed).toBe(true);
  });
});
