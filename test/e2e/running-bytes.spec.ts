// What a server does when the messages of its handlers take as much memory as they may, and when handlers let go of them.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { firstValueFrom, from, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SealwireRecordBuilder } from '@sealwire/transport';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { outcome } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

const KIB = 1_024;
const OVERLOADED = { code: 'ERR_OVERLOADED', fault: 'peer' };

let release = new Subject<string>();
let noted = 0;

beforeEach(() => {
  release = new Subject();
  noted = 0;
});

afterEach(async () => {
  release.next('the end');
  await endAll();
});

async function start(options: Partial<SealwireServerOptions>): Promise<SealwireServer> {
  const server = await startServer(options);
  server.addHandler('hold', () => firstValueFrom(release));
  server.addHandler('echo', (data: unknown) => Promise.resolve(data));
  const note = (): Promise<string> => {
    noted += 1;
    return firstValueFrom(release);
  };
  server.addHandler('note', note, true);
  return server;
}

const running = async (server: SealwireServer, count: number): Promise<void> => {
  await expect.poll(() => server.snapshot().running).toBe(count);
};

/** Text of three bytes for each, which takes twenty times as much once it is parsed. */
const objects = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe('handlers whose messages take the maximum memory of one connection', () => {
  const LIMIT = { limits: { maxRunningBytes: 200 * KIB } };

  it('fail the next requests, count them, and leave other connections alone', async () => {
    const server = await start(LIMIT);
    const [client, other] = [newClient(portOf(server)), newClient(portOf(server))];
    const held = [1, 2].map(() => outcome(client.send('hold', Buffer.alloc(100 * KIB))));
    await running(server, 2);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    expect(await outcome(other.send('echo', 1))).toBe(1);
    expect(server.snapshot().requestsRefused).toBe(1);
    expect(Math.round(server.snapshot().runningBytes / KIB)).toBe(202); // 1 KiB for each handler
    release.next('done');
    expect(await Promise.all(held)).toEqual(['done', 'done']);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(server.snapshot()).toMatchObject({ running: 0, runningBytes: 0 });
  });

  it('accept one message of any size', async () => {
    const server = await start(LIMIT);
    expect(await outcome(newClient(portOf(server)).send('echo', 'x'.repeat(1_000 * KIB)))).toHaveLength(1_000 * KIB);
  });

  it.each([
    ['small lists of objects', objects(5_000), 240_000],
    ['a large one', objects(30_000), 2_010_000],
  ])('count JSON by its parsed size: %s', async (_what, value, least) => {
    const server = await start({ limits: { maxRunningBytes: least } });
    const client = newClient(portOf(server));
    const held = outcome(client.send('hold', value));
    await running(server, 1);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    release.next('done');
    expect(await held).toBe('done');
  });

  it('count metadata by its parsed size', async () => {
    const server = await start({ limits: { maxRunningBytes: 800 * KIB } });
    const client = newClient(portOf(server));
    const metadata = { nested: objects(20_000) } as never; // nobody checks that the values are texts
    const held = outcome(client.send('hold', new SealwireRecordBuilder(1).setMetadata(metadata).build()));
    await running(server, 1);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    release.next('done');
    expect(await held).toBe('done');
  });

  it.each([
    ['the record that is kept', 1, 16_000, { keepSealedRecord: true }],
    ['the handlers themselves', 31, 1, {}],
  ])('count %s', async (_what, count, bytes, options) => {
    const server = await start({ limits: { maxRunningBytes: 32 * KIB }, ...options });
    const client = newClient(portOf(server));
    const held = Array.from({ length: count }, () => outcome(client.send('hold', Buffer.alloc(bytes))));
    await running(server, count);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    release.next('done');
    await Promise.all(held);
  });

  it('make events wait, and receive them when there is room', async () => {
    const server = await start(LIMIT);
    const client = newClient(portOf(server));
    const emitted = [1, 2, 3, 4, 5, 6].map(() => outcome(client.emit('note', Buffer.alloc(60 * KIB))));
    await expect.poll(() => noted).toBe(4);
    release.next('done');
    await Promise.all(emitted);
    expect(noted).toBe(6);
    expect(client.snapshot().connected).toBe(1);
  });

  it('keep the memory of a cancelled request until its handler ends', async () => {
    const server = await start(LIMIT);
    const client = newClient(portOf(server));
    const call = client.send('hold', Buffer.alloc(200 * KIB)).subscribe();
    await running(server, 1);
    call.unsubscribe();
    await expect.poll(() => client.snapshot().inFlight).toBe(0);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    release.next('done');
    await running(server, 0);
    expect(await outcome(client.send('echo', 1))).toBe(1);
  });
});

describe('events beyond the limit of waiting events and their memory', () => {
  it.each([
    ['one connection', { limits: { maxRunningBytes: 200 * KIB } }],
    ['the server', { limits: { maxRunningBytesTotal: 200 * KIB, maxRunningBytes: 200 * KIB } }],
  ])('are refused one by one, and counted at both ends: %s [R6.17, R6.14]', async (_whose, limits) => {
    const server = await start(limits);
    const client = newClient(portOf(server));
    const emitted = Array.from({ length: 10 }, () => outcome(client.emit('note', Buffer.alloc(60 * KIB))));
    await expect.poll(() => client.snapshot().eventsFailed).toBe(2);
    expect(server.snapshot()).toMatchObject({ running: 4, eventsRefused: 2, requestsRefused: 0, connectionsFailed: 0 });
    const refused = { ...OVERLOADED, sent: false };
    expect(await Promise.all(emitted.slice(8))).toMatchObject([refused, refused]);
    release.next('done');
    await Promise.all(emitted.slice(0, 8));
    expect(noted).toBe(8);
    release.next('done');
    await running(server, 0);
    expect(await outcome(client.emit('note', Buffer.alloc(60 * KIB)))).toBeUndefined();
    expect(client.snapshot().connected).toBe(1);
  });
});

describe('messages that wait for a deserializer', () => {
  it('are bounded by their memory', async () => {
    const gate = new Subject<void>();
    const deserialize = async (packet: unknown): Promise<unknown> => {
      await firstValueFrom(gate);
      return packet;
    };
    const server = await start({ limits: { maxRunningBytes: 100 * KIB }, deserializer: { deserialize } as never });
    const client = newClient(portOf(server));
    const first = outcome(client.send('echo', Buffer.alloc(100 * KIB)));
    await expect.poll(() => server.snapshot().inFlight).toBe(1);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    gate.next();
    expect(await first).toHaveLength(100 * KIB);
    const next = outcome(client.send('echo', 2));
    await expect.poll(() => server.snapshot().inFlight).toBe(1);
    gate.next();
    expect(await next).toBe(2);
  });

  it('count until it has processed them, also if their caller has left', async () => {
    const gate = new Subject<void>();
    const deserialize = async (packet: unknown): Promise<unknown> => {
      await firstValueFrom(gate, { defaultValue: undefined });
      return packet;
    };
    const server = await start({ limits: { maxRunningBytes: 100 * KIB }, deserializer: { deserialize } as never });
    const client = newClient(portOf(server));
    await client.connect();
    const call = client.send('echo', Buffer.alloc(100 * KIB)).subscribe();
    await expect.poll(() => server.snapshot().inFlight).toBe(1);
    call.unsubscribe();
    await expect.poll(() => server.snapshot().inFlight).toBe(0);
    expect(await outcome(client.send('echo', 1))).toMatchObject(OVERLOADED);
    gate.complete();
    await expect.poll(() => outcome(client.send('echo', 1))).toBe(1);
  });
});

describe('answers that wait for the deserializer of a client', () => {
  it('fail their call when they exceed the limit of unfinished messages, and no other call', async () => {
    const gate = new Subject<void>();
    const deserialize = async (packet: unknown): Promise<unknown> => {
      await firstValueFrom(gate, { defaultValue: undefined });
      return packet;
    };
    const server = await start({});
    server.addHandler('many', () => Promise.resolve(from(Array.from({ length: 20 }, () => Buffer.alloc(60 * KIB)))));
    const options = { limits: { maxIncompleteBytes: 256 * KIB }, deserializer: { deserialize } as never };
    const client = newClient(portOf(server), options);
    expect(await outcome(client.send('many', 1))).toMatchObject({ code: 'ERR_QUEUE_FULL' });
    gate.complete();
    await expect.poll(() => outcome(client.send('echo', 1))).toBe(1);
  });
});

describe('a message', () => {
  it.each(['send', 'emit'] as const)('is released once its handler runs and its call is encoded: %s', async (way) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const server = await start({});
    let received: WeakRef<object> | undefined;
    const forget = (data: object): Promise<string> => {
      received = new WeakRef(data);
      return firstValueFrom(release);
    };
    server.addHandler('forget', forget, way === 'emit');
    const client = newClient(portOf(server));
    await client.connect();
    const call = ask();
    await running(server, 1);
    const isGone = (): boolean[] => {
      collect();
      return [received?.deref() === undefined, call.sent.deref() === undefined];
    };
    await expect.poll(isGone, { timeout: 10_000 }).toEqual([true, true]);
    release.next('done');
    expect(await call.answer).toBe(way === 'send' ? 'done' : undefined);

    function ask() {
      const data = objects(100);
      let answered: (value: unknown) => void = () => undefined;
      const answer = new Promise((resolve) => (answered = resolve));
      client[way]('forget', data).subscribe((value) => answered(value));
      return { sent: new WeakRef(data), answer };
    }
  });
});
