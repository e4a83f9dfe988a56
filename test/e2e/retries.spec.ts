// Calls whose connection ends, between real clients and servers (docs/reliability.md).
import type { Delivery } from '@sealwire/channel';
import { SealwireClient, SealwireRecordBuilder } from '@sealwire/transport';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { arrived, outcome } from '../support/application.js';
import { endAll, endLater, keyring, newClient, portOf, startServer } from '../support/pair.js';
import { channelClient, startPlainServer } from '../support/plain.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PATIENT = { timeouts: { waitForConnectionMs: 60_000 }, redial: { minMs: 5, maxMs: 50, inBackground: false } };
let release = new Subject<string>();

afterEach(async () => {
  release.complete();
  release = new Subject();
  await endAll();
});

/** A server that answers `hold` when the test lets it, and counts what it has run. */
async function start(
  options: Partial<SealwireServerOptions> = {},
): Promise<{ server: SealwireServer; runs: unknown[] }> {
  const runs: unknown[] = [];
  const server = await startServer(options);
  const hold = (data: unknown): Promise<string> => {
    runs.push(data);
    return firstValueFrom(release, { defaultValue: 'end' });
  };
  server.addHandler('hold', hold);
  server.addHandler('large', (data: unknown) => {
    runs.push(data);
    return Promise.resolve('x'.repeat(2_000_000));
  });
  server.addHandler('holding', hold, true);
  server.addHandler('noted', (data: unknown) => Promise.resolve(void runs.push(data)), true);
  return { server, runs };
}

function echoes(client: SealwireClient, count: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => outcome(client.send('echo', number))));
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** A client whose only slot at the server is taken by a request. */
async function holding(server: SealwireServer): Promise<{ client: SealwireClient; held: Promise<unknown> }> {
  const client = newClient(portOf(server), PATIENT);
  await client.connect();
  const held = outcome(client.send('hold', 'held'));
  await client.ping();
  await expect.poll(() => server.snapshot().running).toBe(1);
  return { client, held };
}

describe('requests that wait for a slot', () => {
  it('go to the next server as soon as theirs drains, and the running one is still answered', async () => {
    const { server } = await start({ limits: { maxInFlight: 1 }, timeouts: { drainMs: 60_000 } });
    const port = portOf(server);
    const { client, held } = await holding(server);
    const queued = echoes(client, 5);
    const closed = server.close();
    await start({ port });
    expect(await queued).toEqual(numbers(5));
    expect(client.snapshot().retries).toBe(5);
    release.next('released');
    expect(await held).toBe('released');
    await closed;
  });

  it('go to the next server, although theirs drains one of its connections after the other', async () => {
    const { server } = await start({ limits: { maxInFlight: 1 }, timeouts: { drainMs: 60_000 } });
    const port = portOf(server);
    const client = newClient(port, { ...PATIENT, connectionsPerServer: 4 });
    await client.connect();
    await expect.poll(() => client.snapshot().connected).toBe(4);
    const held = Promise.all(numbers(4).map((number) => outcome(client.send('hold', number))));
    await expect.poll(() => server.snapshot().running).toBe(4);
    const queued = echoes(client, 40);
    const closed = server.close();
    await start({ port });
    expect(await queued).toEqual(numbers(40));
    expect(client.snapshot().retries).toBe(40);
    release.next('released');
    await Promise.all([held, closed]);
  });

  it('are answered over the next connection after a loss; the running one fails, and its handler ran once', async () => {
    const { server, runs } = await start({ limits: { maxInFlight: 1 } });
    const { client, held } = await holding(server);
    const queued = echoes(client, 5);
    client.unwrap().destroy();
    expect(await held).toMatchObject({ code: 'ERR_CONNECTION_LOST', sent: true });
    expect(await queued).toEqual(numbers(5));
    expect(runs).toEqual(['held']);
  });

  it('reach the serializer once, and arrive whole, if they have several frames', async () => {
    const { server } = await start({ limits: { maxInFlight: 1 } });
    let serialized = 0;
    const serializer = {
      serialize: (packet: unknown): unknown => {
        serialized += 1;
        return packet;
      },
    };
    const client = newClient(portOf(server), { ...PATIENT, serializer, requestTimeoutMs: 60_000 });
    await client.connect();
    const held = outcome(client.send('hold', 'held'));
    await expect.poll(() => server.snapshot().running).toBe(1);
    const large = 'x'.repeat(300_000);
    const queued = outcome(client.send('echo', large));
    client.unwrap().destroy();
    expect(await queued).toBe(large);
    expect(await held).toMatchObject({ sent: true });
    expect(serialized).toBe(2);
  });
});

it('events that wait for a slot arrive in order over the next connection', async () => {
  const { server, runs } = await start({ limits: { maxInFlight: 1 } });
  const { client, held } = await holding(server);
  const events = Promise.all(numbers(20).map((number) => outcome(client.emit('noted', number))));
  client.unwrap().destroy();
  await Promise.all([held, events]);
  expect(runs).toEqual(['held', ...numbers(20)]);
});

it('events that wait for a slot arrive before those that come after a renewal of the connection', async () => {
  const { server, runs } = await start({ limits: { maxInFlight: 1 } });
  const client = newClient(portOf(server), { timeouts: { sessionSoftAgeMs: 300 } });
  await client.connect();
  const held = outcome(client.send('hold', 'held'));
  await expect.poll(() => server.snapshot().running).toBe(1);
  const renewed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'renewed')));
  const early = numbers(5).map((number) => outcome(client.emit('noted', number)));
  await renewed;
  const late = numbers(5).map((number) => outcome(client.emit('noted', number + 5)));
  await Promise.all([...early, ...late]);
  expect(runs).toEqual(['held', ...numbers(10)]);
  release.next('released');
  expect(await held).toBe('released');
});

it('requests that a server refuses when its drain is over are answered by its successor', async () => {
  const { server } = await start({ limits: { maxRunning: 1, maxInFlight: 64 } });
  const port = portOf(server);
  const { client, held } = await holding(server);
  const events = Promise.all(numbers(20).map((number) => outcome(client.emit('noted', number))));
  await client.ping();
  await server.close();
  const { runs } = await start({ port });
  expect(await held).toMatchObject({ code: 'ERR_STREAM_CUT' });
  await events;
  expect(runs).toEqual(numbers(20));
});

it('no request fails while the only server is restarted under load', async () => {
  let { server } = await start({ timeouts: { drainMs: 60_000 } });
  const port = portOf(server);
  const client = newClient(port, PATIENT);
  const answers: unknown[] = [];
  const over = new AbortController();
  const load = numbers(16).map(async (number) => {
    while (!over.signal.aborted) answers.push(await outcome(client.send('echo', number)));
  });
  for (let restart = 0; restart < 3; restart++) {
    const seen = answers.length;
    await expect.poll(() => answers.length).toBeGreaterThan(seen + 100);
    await server.close();
    ({ server } = await start({ port, timeouts: { drainMs: 60_000 } }));
  }
  over.abort();
  await Promise.all(load);
  expect(answers.filter((answer) => typeof answer !== 'number')).toEqual([]);
});

it.each([0, 200])(
  'events that wait for a slot do not connect a client again that closes, after a drain of %i ms',
  async (drainMs) => {
    const { server } = await start({ limits: { maxInFlight: 1 }, timeouts: { closeMs: 50 } });
    const redial = { minMs: 1, maxMs: 10, inBackground: true };
    const client = newClient(portOf(server), { timeouts: { drainMs, closeMs: 50 }, redial });
    const early = numbers(3).map((number) => outcome(client.emit('noted', number))); // wait for the connection
    await client.connect();
    await Promise.all(early);
    const held = outcome(client.send('hold', 'held'));
    await expect.poll(() => server.snapshot().running).toBe(1);
    const events = numbers(3).map((number) => outcome(client.emit('noted', number)));
    const { connected } = client.snapshot();
    await client.close();
    expect(await held).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: true });
    for (const event of await Promise.all(events))
      expect(event).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0, waiting: 0, connected });
    expect(await outcome(client.send('echo', 'again'))).toBe('again');
  },
);

it('a call that waits for the next connection ends with close() and with its subscription', async () => {
  const { server } = await start({ limits: { maxInFlight: 1 } });
  const { client, held } = await holding(server);
  const queued = outcome(client.send('echo', 1));
  const unsubscribed = client.send('echo', 2).subscribe();
  await server.close();
  await held;
  await expect.poll(() => client.snapshot().waiting).toBe(2);
  unsubscribed.unsubscribe();
  await expect.poll(() => client.snapshot().waiting).toBe(1);
  await client.close();
  expect(await queued).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
});

describe('a request whose connection is cut in the middle of its answer', () => {
  /** Cuts the first connection after 500,000 bytes of the answer. */
  async function cutting(port: number): Promise<TcpProxy> {
    const proxy = await TcpProxy.to(port);
    endLater({ close: () => Promise.resolve(proxy.close()) });
    proxy.alter = (chunk, offset, direction) => {
      if (direction === 's2c' && offset > 500_000) proxy.reset();
      return chunk;
    };
    return proxy;
  }

  it.each([
    ['of the client', true, false],
    ['of its record', false, true],
  ])('is sent again because of the option `idempotent` %s', async (_which, ofClient, ofRecord) => {
    const { server, runs } = await start();
    const proxy = await cutting(portOf(server));
    const client = newClient(proxy.port, { ...PATIENT, idempotent: ofClient });
    const builder = new SealwireRecordBuilder('data');
    const record = ofRecord ? builder.setIdempotent(true) : builder;
    expect(await outcome(client.send('large', record.build()))).toHaveLength(2_000_000);
    expect([runs, client.snapshot().retries]).toEqual([['data', 'data'], 1]);
  });

  it('fails with `sent: true` otherwise, and its handler runs once', async () => {
    const { server, runs } = await start();
    const proxy = await cutting(portOf(server));
    const client = newClient(proxy.port, { ...PATIENT, idempotent: true });
    const record = new SealwireRecordBuilder('data').setIdempotent(false).build();
    expect(await outcome(client.send('large', record))).toMatchObject({ sent: true });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect([runs, client.snapshot().retries]).toEqual([['data'], 0]);
  });

  it('is sent again by a client without Nest', async () => {
    const server = await startPlainServer(() => Buffer.alloc(2_000_000));
    const proxy = await cutting(server.port);
    const client = channelClient(proxy.port, PATIENT);
    expect(await client.request('large', Buffer.of(1), { idempotent: true })).toHaveLength(2_000_000);
    await expect(client.request('large', Buffer.of(1), { idempotent: 'yes' as never })).rejects.toMatchObject({
      code: 'ERR_BAD_OPTION',
    });
  });
});

describe('an event that waits at a server which dies', () => {
  /** A server that holds one event, has another one waiting, and then dies; its successor listens at the same port. */
  async function dying(delivery: Delivery): Promise<{
    client: SealwireClient;
    event: Promise<unknown>;
    successor: { runs: unknown[] };
    die: () => Promise<void>;
  }> {
    const { server } = await start({ limits: { maxRunning: 1 } });
    const port = portOf(server);
    const client = newClient(port, PATIENT);
    await arrived(client.emit('holding', 'held'));
    const record = new SealwireRecordBuilder('event').setDelivery(delivery).build();
    const event = outcome(client.emit('noted', record));
    await client.ping();
    const successor: { runs: unknown[] } = { runs: [] };
    const die = async (): Promise<void> => {
      server.unwrap().close();
      client.unwrap().destroy();
      await expect.poll(() => client.snapshot().connections).toBe(0);
      Object.assign(successor, await start({ port }));
    };
    return { client, event, successor, die };
  }

  it('goes to the next server with `delivery: at-least-once`', async () => {
    const { event, successor, die } = await dying('at-least-once');
    await die();
    expect(await event).toBeUndefined();
    expect(successor.runs).toEqual(['event']);
  });

  it('goes to another server with `delivery: at-least-once`, although none listens at the address of the dead one', async () => {
    const both = [await start({ limits: { maxRunning: 1 } }), await start({ limits: { maxRunning: 1 } })];
    const servers = both.map(({ server }) => ({ host: '127.0.0.1', port: portOf(server) }));
    const client = new SealwireClient({ keyring, servers, delivery: 'at-least-once', ...PATIENT });
    endLater(client);
    await client.connect();
    await arrived(client.emit('holding', 'held'));
    const dead = both.find(({ runs }) => runs.includes('held'));
    const event = outcome(client.emit('noted', 'event'));
    await client.ping();
    dead?.server.unwrap().close();
    client.unwrap().destroy(); // the first connection, which has the events
    expect(await event).toBeUndefined();
    expect(both.map(({ runs }) => runs)).toEqual(expect.arrayContaining([['held'], ['event']]));
    expect(client.snapshot().retries).toBe(1);
  });

  it('fails with `sent: true` at its timeout if no server listens at the address', async () => {
    const { server } = await start({ limits: { maxRunning: 1 } });
    const client = newClient(portOf(server), { ...PATIENT, requestTimeoutMs: 1_500 });
    await client.connect();
    await arrived(client.emit('holding', 'held'));
    const event = outcome(client.emit('noted', 'event'));
    await client.ping();
    server.unwrap().close();
    client.unwrap().destroy();
    expect(await event).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: true });
  });

  it('is complete before with `delivery: sent`, and is counted and reported as lost', async () => {
    const { client, event, successor, die } = await dying('sent');
    const lost: unknown[] = [];
    client.connectionEvents.subscribe((noted) => {
      if (noted.type === 'eventFailed') lost.push(noted);
    });
    expect(await event).toBeUndefined();
    await die();
    expect(await outcome(client.send('echo', 1))).toBe(1);
    await expect.poll(() => lost).toMatchObject([{ pattern: 'noted', error: { sent: true } }]);
    expect([client.snapshot().eventsFailed, successor.runs]).toEqual([1, []]);
  });
});
