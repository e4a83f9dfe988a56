// When messages are sent, what becomes of their values, and what no message is.
import { Controller } from '@nestjs/common';
import { ClientProxy, MessagePattern, Payload } from '@nestjs/microservices';
import { concat, from, lastValueFrom, of, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import { afterEach, describe, expect, it } from 'vitest';

import { all, arrived, outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

afterEach(() => endAll());

let calls = 0;

@Controller()
class ValueController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    calls += 1;
    return value;
  }

  @MessagePattern('undefined')
  undefined(): void {}

  @MessagePattern('null')
  null(): null {
    return null;
  }

  @MessagePattern('late')
  async late(): Promise<Observable<number>> {
    await Promise.resolve();
    return concat(of(1), timer(1).pipe(map(() => 2)), from([3, 4]));
  }

  @MessagePattern('special')
  special(): object {
    return {
      date: new Date(0),
      undefined: undefined,
      nan: NaN,
      map: new Map([['key', 1]]),
      error: new Error('secret'),
      bytes: Buffer.from('ab'),
    };
  }

  @MessagePattern('bigint')
  bigint(): object {
    return { value: 1n };
  }

  @MessagePattern('cycle')
  cycle(): object {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    return cycle;
  }
}

const controllers = [ValueController];

describe('send()', () => {
  it('is cold: nothing is sent before the first subscription, and each subscription sends again', async () => {
    const { client } = await startApplication({ controllers });
    calls = 0;
    const answer = client.send('echo', 1);
    await outcome(client.send('undefined', 0));
    expect(calls).toBe(0);
    await all(answer);
    await all(answer);
    expect(calls).toBe(2);
  });

  it.each([
    ['null data', 'echo', null],
    ['undefined data', 'echo', undefined],
    ['no pattern', null, 1],
  ])('refuses %s with the exception of Nest, and so does emit()', async (_what, pattern, value) => {
    const { client } = await startApplication({ controllers });
    const refusals = [await outcome(client.send(pattern, value)), await outcome(client.emit(pattern, value))];
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(Error);
      expect((refusal as Error).constructor.name).toBe('InvalidMessageException');
    }
    expect(() => client.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }) as Error);
  });

  it.each([0, '', false])('accepts %j as data', async (value) => {
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('echo', value))).toEqual([value]);
  });
});

describe('emit()', () => {
  it('is hot: the event is sent immediately, and once, for any number of subscribers', async () => {
    const seen: unknown[] = [];
    const { client, server } = await startApplication({ controllers });
    server.addHandler('noted', (value: unknown) => Promise.resolve(void seen.push(value)), true);
    const event = client.emit('noted', 1);
    await expect.poll(() => seen).toEqual([1]);
    event.subscribe();
    await arrived(event);
    await outcome(client.send('echo', 1));
    expect(seen).toEqual([1]);
  });

  it('resolves with undefined, on the first connection and on one that is there', async () => {
    const { client } = await startApplication({ controllers });
    const arrival = (): Promise<unknown> => lastValueFrom<unknown>(client.emit('echo', 1));
    expect(await Promise.all([arrival(), arrival()])).toEqual([undefined, undefined]);
    expect(await arrival()).toBeUndefined();
  });

  it('that has arrived completes for late subscribers', async () => {
    const { client } = await startApplication({ controllers });
    const event = client.emit('echo', 1);
    await lastValueFrom<unknown>(event);
    expect(await all(event)).toEqual([]);
  });

  it('that fails without a subscriber causes no uncaught error', async () => {
    const { app, client } = await startApplication({ controllers });
    await app.close();
    client.emit('noted', 1);
    expect(await outcome(client.emit('noted', 2))).toMatchObject({ code: 'ERR_CONNECT_FAILED', sent: false });
  });
});

describe('a dispatch hook that throws', () => {
  it.skipIf(!('setOnDispatchHook' in ClientProxy.prototype))(
    'fails the call, with Nest 12, whether the client is connected or not',
    async () => {
      const { client } = await startApplication({ controllers });
      const boom = new Error('boom');
      let fails = true;
      client.setOnDispatchHook(() => {
        if (fails) throw boom;
      });
      const failures = async (): Promise<unknown[]> => [
        await outcome(client.send('echo', 1)),
        await outcome(client.emit('echo', 1)),
      ];
      expect(await failures()).toEqual([boom, boom]);
      fails = false;
      await outcome(client.send('echo', 1));
      fails = true;
      expect(await failures()).toEqual([boom, boom]);
    },
  );
});

describe('an answer', () => {
  it('of undefined completes without a value, while null is a value', async () => {
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('undefined', 0))).toEqual([]);
    expect(await all(client.send('null', 0))).toEqual([null]);
  });

  it('has the values of an observable in order, also of a late one', async () => {
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('late', 0))).toEqual([1, 2, 3, 4]);
  });
});

describe('a value', () => {
  const special = {
    date: new Date(0),
    undefined: undefined,
    nan: NaN,
    map: new Map([['key', 1]]),
    error: new Error('secret'),
    bytes: Buffer.from('ab'),
  };
  const converted = {
    date: '1970-01-01T00:00:00.000Z',
    nan: null,
    map: {},
    error: {},
    bytes: { type: 'Buffer', data: [97, 98] },
  };

  it('is converted as JSON converts it, in both directions', async () => {
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('echo', special))).toStrictEqual([converted]);
    expect(await all(client.send('special', 0))).toStrictEqual([converted]);
  });

  it.each([
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [NaN, null],
    [new Map(), {}],
    [[undefined], [null]],
  ])('%s alone arrives as %j', async (value, arrives) => {
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('echo', value))).toStrictEqual([arrives]);
  });

  it('that JSON cannot express fails the call at either end, and the connection continues', async () => {
    const { client, server } = await startApplication({ controllers });
    const code = 'ERR_MESSAGE_UNSERIALIZABLE';
    expect(await outcome(client.send('echo', 1n))).toMatchObject({ code, sent: false });
    expect(await outcome(client.emit('echo', { value: 1n }))).toMatchObject({ code, sent: false });
    for (const pattern of ['bigint', 'cycle']) {
      expect(await outcome(client.send(pattern, 0))).toMatchObject({ code, sent: true });
    }
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(server.snapshot()).toMatchObject({ accepted: 1, running: 0, inFlight: 0 });
  });
});
