// What handlers, serializers and clean-up code of the user's do wrong, or slowly, stays with their own call.
import { inspect } from 'node:util';

import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { WritePacket } from '@nestjs/microservices';
import { finalize, firstValueFrom, lastValueFrom, NEVER, Observable, of, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { SealwireRecordBuilder } from '@sealwire/transport';
import type { SealwireClient, SealwireClientOptions, SealwireRecord, SealwireServerOptions } from '@sealwire/transport';
import { EchoController, startApplication, startCaller } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';

afterEach(() => endAll());

const later = <T>(value: T): Promise<T> => new Promise((resolve) => void setImmediate(() => resolve(value)));
/** A deadline for one message: the others of its client have none. */
const within = (timeoutMs: number, data: unknown): SealwireRecord =>
  new SealwireRecordBuilder(data).setTimeoutMs(timeoutMs).build();
const code = (values: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(values, { defaultValue: undefined }).catch((error: { code?: string }) => error.code);

/** Iterators of hand-made iterables, which keep no rule. */
function iterable(end: () => unknown): AsyncIterable<number> {
  let tick = 0;
  return {
    [Symbol.asyncIterator]: () => ({ next: () => later({ done: false, value: tick++ }), return: end as never }),
  };
}

const failing = (): never => {
  throw new Error('clean-up failed');
};

const ENDLESS = [
  () => new Observable((observer) => (observer.next(0), failing)).pipe(finalize(failing)),
  () => iterable(failing),
  () => iterable(() => 'no promise'),
];
const SILENT = [() => NEVER.pipe(finalize(failing))];

let pulled = 0;

@Controller()
class UserController {
  @MessagePattern('careless')
  careless(@Payload() number: number): unknown {
    return [...ENDLESS, ...SILENT][number]?.();
  }

  @MessagePattern('endless')
  async *endless(): AsyncGenerator<number> {
    for (;;) yield pulled++;
  }

  @MessagePattern('three')
  three(): Observable<number> {
    return of(1, 2, 3);
  }

  @EventPattern('hold')
  hold(@Payload() _value: unknown): Promise<never> {
    return new Promise(() => undefined);
  }
}

const controllers = [EchoController, UserController];

describe('clean-up code that throws', () => {
  it.each([
    [
      'the caller unsubscribes',
      ENDLESS,
      {},
      (client: SealwireClient, number: number) => firstValueFrom(client.send('careless', number)),
    ],
    [
      'the deadline is over',
      [...ENDLESS, ...SILENT],
      {},
      (client: SealwireClient, number: number) => code(client.send('careless', within(100, number))),
    ],
    [
      'the connection is lost',
      [...ENDLESS, ...SILENT],
      {},
      async (client: SealwireClient, number: number) => {
        const lost = code(client.send('careless', number));
        await client.ping();
        client.unwrap().destroy();
        await lost;
      },
    ],
  ])('ends neither the process nor a connection when %s', async (_what, handlers, options, leave) => {
    const { client: other, server } = await startApplication({ controllers });
    await other.connect();
    for (const number of handlers.keys()) {
      const client = await startCaller(portOf(server), options);
      await leave(client, number);
      expect(await firstValueFrom(client.send('echo', 'still here'))).toBe('still here');
      expect(await firstValueFrom(other.send('echo', 'still here'))).toBe('still here');
    }
    await expect.poll(() => server.snapshot().running).toBe(0);
  });
});

describe('a slow serializer', () => {
  it('at the server holds back the source of the values, not the process', async () => {
    pulled = 0;
    const { client, server } = await startApplication({ controllers, server: { serializer: { serialize: later } } });
    const values = await lastValueFrom(client.send('endless', 0).pipe(take(5), toArray()));
    expect(values).toEqual([0, 1, 2, 3, 4]);
    expect(pulled).toBeLessThan(1_000);
    await expect.poll(() => server.snapshot().running).toBe(0);
  });

  it('at the client queues calls up to the limit, and rejects the others immediately', async () => {
    const slow = { limits: { maxQueuedMessages: 10 }, serializer: { serialize: later } };
    const { client } = await startApplication({ controllers, client: slow });
    await client.connect();
    const answers = Array.from({ length: 50 }, (_, i) => code(client.send('echo', i)));
    const told = await Promise.all(answers);
    expect(told.filter((answer) => answer === 'ERR_QUEUE_FULL')).toHaveLength(40);
    expect(told.filter((answer) => typeof answer === 'number')).toHaveLength(10);
  });
});

describe('a serializer or deserializer with promises of another library', () => {
  it.each(['client', 'server'])('is awaited at the %s', async (end) => {
    const thenable = (value: unknown) => ({
      // oxlint-disable-next-line unicorn/no-thenable -- that is what it is about
      then: (resolve: (value: unknown) => void) => setImmediate(resolve, value),
    });
    for (const options of [{ serializer: { serialize: thenable } }, { deserializer: { deserialize: thenable } }]) {
      const { client } = await startApplication({ controllers: [EchoController], [end]: options });
      const answers = [1, 2, 3].map((number) => lastValueFrom(client.send('echo', number)));
      expect(await Promise.all(answers)).toEqual([1, 2, 3]);
    }
  });
});

describe('a serializer or deserializer that returns no packet', () => {
  const NONE: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a text', 'text'],
    ['bytes', Buffer.from('bytes')],
  ];
  const CASES = NONE.flatMap(([what, value]) => [
    { what, give: (): never => value as never },
    { what: `${what}, later`, give: (): never => later(value) as never },
  ]);
  const UNSERIALIZABLE = { name: 'TransportError', code: 'ERR_MESSAGE_UNSERIALIZABLE' };
  const MALFORMED = { name: 'TransportError', code: 'ERR_MESSAGE_MALFORMED' };

  const failure = (values: Observable<unknown>): Promise<unknown> =>
    lastValueFrom(values, { defaultValue: undefined }).catch((error: unknown) => error);

  it.each(CASES)('at the client fails the call with a code: $what', async ({ give }) => {
    const { server } = await startApplication({ controllers: [EchoController] });
    let isBroken = true;
    const broken = <T>(value: T): T => (isBroken ? give() : value);
    const serializing = await startCaller(portOf(server), { serializer: { serialize: broken } });
    const deserializing = await startCaller(portOf(server), { deserializer: { deserialize: broken } });
    expect(await failure(serializing.send('echo', 1))).toMatchObject({ ...UNSERIALIZABLE, sent: false });
    expect(await failure(serializing.emit('echo', 1))).toMatchObject({ ...UNSERIALIZABLE, sent: false });
    expect(await failure(deserializing.send('echo', 1))).toMatchObject({ ...MALFORMED, sent: true });
    isBroken = false;
    for (const client of [serializing, deserializing]) expect(await failure(client.send('echo', 2))).toBe(2);
    expect(server.snapshot()).toMatchObject({ accepted: 2, connections: 2 });
  });

  it.each(CASES)('at the server fails the call with a code: $what', async ({ give }) => {
    let isBroken = true;
    const broken = <T>(value: T): T => (isBroken ? give() : value);
    const start = async (options: Partial<SealwireServerOptions>): Promise<SealwireClient> =>
      (await startApplication({ controllers: [EchoController], server: options })).client;
    const serializing = await start({ serializer: { serialize: broken } });
    const deserializing = await start({ deserializer: { deserialize: broken as never } });
    expect(await failure(serializing.send('echo', 1))).toMatchObject({ ...UNSERIALIZABLE, sent: true });
    expect(await failure(deserializing.send('echo', 1))).toMatchObject({ ...MALFORMED, sent: true });
    expect(await failure(deserializing.emit('echo', 1))).toMatchObject({ ...MALFORMED, sent: false });
    isBroken = false;
    for (const client of [serializing, deserializing]) {
      expect(await failure(client.send('echo', 2))).toBe(2);
      expect(client.snapshot().connected).toBe(1);
    }
  });
});

describe('a serializer or deserializer that throws a falsy value', () => {
  const FALSY = ['', 0, false, null, undefined];
  const outcome = (values: Observable<unknown>): Promise<unknown> =>
    lastValueFrom(values).catch((error: unknown) => error);

  it.each(FALSY)('at the client fails the call with an error that says so: %j', async (falsy) => {
    const { server } = await startApplication({ controllers: [EchoController] });
    const fail = (): never => {
      throw falsy;
    };
    const failLater = (): never => later(undefined).then(fail) as never;
    for (const give of [fail, failLater]) {
      const serializing = await startCaller(portOf(server), { serializer: { serialize: give } });
      const deserializing = await startCaller(portOf(server), { deserializer: { deserialize: give } });
      for (const client of [serializing, deserializing]) {
        const error = await outcome(client.send('echo', 1));
        expect(error).toBeInstanceOf(Error);
        expect(error).toMatchObject({ message: `The call failed with ${inspect(falsy)}`, cause: falsy });
      }
    }
  });

  it.each(FALSY)('at the server fails the call with a code: %j', async (falsy) => {
    const fail = (): never => {
      throw falsy;
    };
    const start = async (options: Partial<SealwireServerOptions>): Promise<SealwireClient> =>
      (await startApplication({ controllers: [EchoController], server: options })).client;
    const serializing = await start({ serializer: { serialize: fail } });
    const deserializing = await start({ deserializer: { deserialize: fail } });
    expect(await outcome(serializing.send('echo', 1))).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
    expect(await outcome(deserializing.send('echo', 1))).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED' });
  });
});

describe('a deserializer of answers', () => {
  const answer = async (pattern: string, give: (packet: WritePacket) => WritePacket): Promise<unknown> => {
    const { server } = await startApplication({ controllers });
    const client = await startCaller(portOf(server), { deserializer: { deserialize: give as never } });
    return lastValueFrom(client.send(pattern, 1).pipe(toArray())).catch((error: unknown) => error);
  };

  it('that drops the end of an answer does not make its caller wait', async () => {
    expect(await answer('echo', ({ response }) => ({ response }))).toEqual([1]);
    expect(await answer('nobody handles this', () => ({}))).toBeInstanceOf(Error);
    expect(await answer('nobody handles this', () => ({ err: '' }))).toBeInstanceOf(Error);
  });

  it('treats null and other falsy values as no error, as in Nest', async () => {
    expect(await answer('three', (packet) => ({ ...packet, err: packet.err ?? null }))).toEqual([1, 2, 3]);
    expect(await answer('three', (packet) => ({ ...packet, err: packet.err ?? '' }))).toEqual([1, 2, 3]);
  });

  it('can turn a failure into an end', async () => {
    expect(await answer('nobody handles this', () => ({ response: 'none', isDisposed: true }))).toEqual(['none']);
  });
});

describe('an event that the server does not acknowledge', () => {
  it('fails at the deadline of its client', async () => {
    const limits = { server: { limits: { maxRunning: 1 } }, client: { timeouts: { drainMs: 50 } } };
    const { client } = await startApplication({ controllers, ...limits });
    await lastValueFrom(client.emit('hold', 1), { defaultValue: undefined });
    await expect(lastValueFrom(client.emit('hold', within(500, 2)))).rejects.toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: true,
    });
  });
});

describe('a deserializer of the client that ends an answer before its last value', () => {
  it('ends the generator of it as well', async () => {
    const client: Partial<SealwireClientOptions> = {
      deserializer: { deserialize: (packet: WritePacket) => ({ ...packet, isDisposed: true }) },
    };
    const { client: caller, server } = await startApplication({ controllers: [UserController], client });
    expect(await lastValueFrom(caller.send('endless', 0).pipe(toArray()))).toHaveLength(1);
    await expect.poll(() => server.snapshot()).toMatchObject({ running: 0, inFlight: 0 });
  });
});

describe('a serializer of the server that writes null for no error', () => {
  it('answers with the value', async () => {
    const serializer = { serialize: (packet: WritePacket) => ({ ...packet, err: null }) };
    const { client: caller } = await startApplication({ controllers: [EchoController], server: { serializer } });
    expect(await lastValueFrom<unknown>(caller.send('echo', 'here'))).toBe('here');
  });
});
