// What handlers, serializers and clean-up code of the user's do wrong, or slowly, stays with their own call.
import { finalize, firstValueFrom, lastValueFrom, NEVER, Observable, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import type { SealwireClient } from '@sealwire/transport';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

const later = <T>(value: T): Promise<T> => new Promise((resolve) => void setImmediate(() => resolve(value)));
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

describe('clean-up code that throws', () => {
  it.each([
    ['the caller unsubscribes', ENDLESS, {}, (client: SealwireClient) => firstValueFrom(client.send('careless', 0))],
    [
      'the deadline is over',
      [...ENDLESS, ...SILENT],
      { requestTimeoutMs: 30 },
      (client: SealwireClient) => code(client.send('careless', 0)),
    ],
    [
      'the connection is lost',
      [...ENDLESS, ...SILENT],
      {},
      async (client: SealwireClient) => {
        const lost = code(client.send('careless', 0));
        await client.ping();
        client.unwrap().destroy();
        await lost;
      },
    ],
  ])('ends neither the process nor a connection when %s', async (_what, handlers, options, leave) => {
    const server = await startServer();
    const other = newClient(portOf(server));
    await other.connect();
    for (const handler of handlers) {
      server.addHandler('careless', () => Promise.resolve(handler()));
      const client = newClient(portOf(server), options);
      await leave(client);
      expect(await firstValueFrom(client.send('echo', 'still here'))).toBe('still here');
      expect(await firstValueFrom(other.send('echo', 'still here'))).toBe('still here');
    }
    await expect.poll(() => server.snapshot().running).toBe(0);
  });
});

describe('a serializer that takes its time', () => {
  it('at the server holds back the source of the values, not the process', async () => {
    let pulled = 0;
    const server = await startServer({ serializer: { serialize: later } });
    server.addHandler('endless', () =>
      Promise.resolve(
        (async function* () {
          for (;;) yield pulled++;
        })(),
      ),
    );
    const values = await lastValueFrom(newClient(portOf(server)).send('endless', 0).pipe(take(5), toArray()));
    expect(values).toEqual([0, 1, 2, 3, 4]);
    expect(pulled).toBeLessThan(1_000);
    await expect.poll(() => server.snapshot().running).toBe(0);
  });

  it('at the client makes no more calls wait than may be queued, and the others are told at once', async () => {
    const server = await startServer();
    const client = newClient(portOf(server), { maxQueuedMessages: 10, serializer: { serialize: later } });
    await client.connect();
    const answers = Array.from({ length: 50 }, (_, i) => code(client.send('echo', i)));
    const told = await Promise.all(answers);
    expect(told.filter((answer) => answer === 'ERR_QUEUE_FULL')).toHaveLength(40);
    expect(told.filter((answer) => typeof answer === 'number')).toHaveLength(10);
  });
});

describe('a serializer or deserializer that gives no packet', () => {
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
    const server = await startServer();
    let isBroken = true;
    const broken = <T>(value: T): T => (isBroken ? give() : value);
    const serializing = newClient(portOf(server), { serializer: { serialize: broken } });
    const deserializing = newClient(portOf(server), { deserializer: { deserialize: broken } });
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
    const serializing = newClient(portOf(await startServer({ serializer: { serialize: broken } })));
    const deserializing = newClient(portOf(await startServer({ deserializer: { deserialize: broken as never } })));
    expect(await failure(serializing.send('echo', 1))).toMatchObject({ ...UNSERIALIZABLE, sent: true });
    expect(await failure(deserializing.send('echo', 1))).toMatchObject({ ...MALFORMED, sent: true });
    expect(await failure(deserializing.emit('echo', 1))).toBeUndefined();
    isBroken = false;
    for (const client of [serializing, deserializing]) {
      expect(await failure(client.send('echo', 2))).toBe(2);
      expect(client.snapshot().connected).toBe(1);
    }
  });
});

describe('an event that the server does not take', () => {
  it('fails at the deadline of its client', async () => {
    const server = await startServer({ maxRunning: 1 });
    server.addHandler('hold', () => new Promise(() => undefined), true);
    const client = newClient(portOf(server), { requestTimeoutMs: 50, drainTimeoutMs: 50 });
    await lastValueFrom(client.emit('hold', 1), { defaultValue: undefined });
    await expect(lastValueFrom(client.emit('hold', 2))).rejects.toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: true,
    });
  });
});
