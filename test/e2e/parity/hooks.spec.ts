// Nest's processing hooks, by which tracing follows a message: once at the start, once at the end, whatever happens.
import { AsyncLocalStorage } from 'node:async_hooks';

import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { SealwireContext } from '@sealwire/transport';
import { SealwireRecordBuilder } from '@sealwire/transport';
import { interval, NEVER, of, take, throwError, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { all, outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

afterEach(() => endAll());

const span = new AsyncLocalStorage<string>();
let calls: string[] = [];

beforeEach(() => {
  calls = [];
});

@Controller()
class TracedController {
  @MessagePattern('value')
  value(): string {
    return span.getStore() ?? 'no span';
  }

  @MessagePattern('values')
  values(): Observable<number> {
    return of(1, 2, 3);
  }

  @MessagePattern('generator')
  async *generator(): AsyncGenerator<number> {
    yield* [1, 2];
  }

  @MessagePattern('throws')
  throws(): never {
    throw new Error('inside');
  }

  @MessagePattern('fails')
  fails(): Observable<never> {
    return throwError(() => new Error('inside'));
  }

  @MessagePattern('bigint')
  bigint(): bigint {
    return 1n;
  }

  @MessagePattern('ticks')
  ticks(): Observable<number> {
    return interval(1);
  }

  @MessagePattern('never')
  never(): Observable<never> {
    return NEVER;
  }

  @EventPattern('event')
  event(@Payload() fail: boolean): void {
    if (fail) throw new Error('inside');
  }

  @EventPattern('event')
  again(@Payload() _fail: boolean): void {}
}

function start(server = {}) {
  return startApplication({
    controllers: [TracedController],
    server,
    configure: (_app, strategy) => {
      strategy.setOnProcessingStartHook((transportId, context, done) => {
        const pattern = (context as SealwireContext).getPattern();
        calls.push(`start ${String(transportId)} ${pattern}`);
        span.run(`span of ${pattern}`, () => void done());
      });
      strategy.setOnProcessingEndHook((transportId, context) => {
        calls.push(`end ${String(transportId)} ${(context as SealwireContext).getPattern()}`);
      });
    },
  });
}

const once = (pattern: string, id = 'Symbol(@sealwire/transport/SEALWIRE)') => [
  `start ${id} ${pattern}`,
  `end ${id} ${pattern}`,
];

describe('the processing hooks', () => {
  it.each(['value', 'values', 'generator', 'throws', 'fails', 'bigint'])(
    'run once each around the handler of %s',
    async (pattern) => {
      const { client, server } = await start();
      await all(client.send(pattern, 0)).catch(() => undefined);
      await expect.poll(() => server.snapshot().running).toBe(0);
      expect(calls).toEqual(once(pattern));
    },
  );

  it('receive the transport id that the server acts as, and wrap the handler', async () => {
    const { client } = await start({ transportId: Transport.TCP });
    expect(await outcome(client.send('value', 0))).toBe('span of value');
    expect(calls).toEqual(once('value', String(Transport.TCP)));
  });

  it.each([false, true])('run once each for an event with two handlers, when one fails: %j', async (fail) => {
    const { client } = await start();
    await outcome(client.emit('event', fail));
    await expect.poll(() => calls).toEqual(once('event'));
  });

  it('run once each for a request that is cancelled, that times out, and whose client has disconnected', async () => {
    const { client, server } = await start();
    expect(await outcome(client.send('ticks', 0).pipe(take(2), toArray()))).toEqual([0, 1]);
    await expect.poll(() => calls).toEqual(once('ticks'));
    const hasty = new SealwireRecordBuilder(0).setTimeoutMs(20).build();
    expect(await outcome(client.send('never', hasty))).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
    await expect.poll(() => calls).toEqual([...once('ticks'), ...once('never')]);
    const lost = outcome(client.send('never', 0));
    await expect.poll(() => server.snapshot().running).toBe(1);
    client.unwrap().destroy();
    await lost;
    await expect.poll(() => calls).toEqual([...once('ticks'), ...once('never'), ...once('never')]);
  });

  it('do not run for a message without a handler', async () => {
    const { client } = await start();
    await outcome(client.send('no such', 0));
    await outcome(client.emit('no such', 0));
    expect(calls).toEqual([]);
  });
});

describe('a processing hook that fails', () => {
  const boom = new Error('hook');

  it.each([
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', () => Promise.reject(boom)],
  ])('fails the request when it %s before the handler, and the server continues', async (_how, hook) => {
    const { client, server } = await start();
    server.setOnProcessingStartHook(hook as () => void);
    for (const pattern of ['value', 'values']) {
      expect(await outcome(client.send(pattern, 0))).toMatchObject({ message: 'Internal server error' });
    }
    await outcome(client.emit('event', false));
    expect(server.snapshot().running).toBe(0);
  });

  it.each(['value', 'values', 'throws', 'generator', 'ticks'])(
    'affects neither the answer of %s nor the server when it throws after the handler',
    async (pattern) => {
      const { client, server } = await start();
      server.setOnProcessingEndHook(() => {
        throw boom;
      });
      const answer = client.send(pattern, 0).pipe(take(1));
      const expected: unknown = {
        value: 'span of value',
        values: 1,
        generator: 1,
        ticks: 0,
        throws: expect.objectContaining({ message: 'Internal server error' }),
      }[pattern];
      expect(await outcome(answer)).toEqual(expected);
      await expect.poll(() => server.snapshot().running).toBe(0);
      server.setOnProcessingEndHook(() => undefined);
      expect(await outcome(client.send('value', 0))).toBe('span of value');
    },
  );
});
