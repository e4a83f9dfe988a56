// Events that nobody waits for: what becomes of them, and who says so.
import { Controller, Logger } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SealwireRecordBuilder } from '@sealwire/transport';
import type { ClientConnectionEvent, SealwireClient, SealwireServer } from '@sealwire/transport';
import { filter, firstValueFrom, lastValueFrom, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { outcome, startApplication, startCaller } from '../support/application.js';
import { endAll, newClient, newKeyring, portOf } from '../support/pair.js';

const noted: unknown[] = [];
const [holding, release] = [new Subject<void>(), new Subject<void>()];

@Controller()
class NoteController {
  @EventPattern('noted')
  note(@Payload() value: unknown): void {
    noted.push(value);
  }

  @EventPattern('hold')
  hold(@Payload() _value: unknown): Promise<unknown> {
    holding.next();
    return firstValueFrom(release);
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }
}

const controllers = [NoteController];

interface Entry {
  readonly message: string;
  readonly kind: string;
  readonly code: string;
  readonly pattern: string;
  readonly suppressed: number;
}

beforeEach(() => void noted.splice(0));
afterEach(async () => {
  release.next();
  await endAll();
});

function collectLog(): Entry[] {
  const entries: Entry[] = [];
  const add = (entry: unknown): void => void entries.push(JSON.parse(JSON.stringify(entry)) as Entry);
  Logger.overrideLogger({ log: () => undefined, warn: add, error: add });
  onTestFinished(() => Logger.overrideLogger(false));
  return entries;
}

const lost = (entries: readonly Entry[]): number =>
  entries.filter(({ kind }) => kind === 'event-lost').reduce((sum, { suppressed }) => sum + 1 + suppressed, 0);

function collectEvents(client: SealwireClient): Extract<ClientConnectionEvent, { type: 'eventFailed' }>[] {
  const events: Extract<ClientConnectionEvent, { type: 'eventFailed' }>[] = [];
  client.connectionEvents.subscribe((event) => {
    if (event.type === 'eventFailed') events.push(event);
  });
  return events;
}

/** A port at which nothing listens. */
async function closedPort(): Promise<number> {
  const { app, server } = await startApplication({ controllers });
  const port = portOf(server);
  await app.close();
  return port;
}

function emitAll(client: SealwireClient, count: number): void {
  for (let value = 0; value < count; value++) client.emit('noted', value);
}

describe('emit() without a subscriber', () => {
  it.each([true, false])('delivers or reports every event of a loop, connected before: %s', async (connectFirst) => {
    const limits = { limits: { maxQueuedMessages: 50 }, timeouts: { waitForConnectionMs: connectFirst ? 0 : 60_000 } };
    const { client } = await startApplication({ controllers, server: { limits: { maxInFlight: 4 } }, client: limits });
    const entries = collectLog();
    const failed = collectEvents(client);
    if (connectFirst) await client.connect();
    emitAll(client, 500);
    await expect.poll(() => noted.length + client.snapshot().eventsFailed).toBe(500);
    expect(noted.length).toBeGreaterThanOrEqual(50);
    expect(client.snapshot().eventsFailed).toBeGreaterThan(0);
    expect(failed).toHaveLength(client.snapshot().eventsFailed);
    expect(failed[0]).toMatchObject({ pattern: 'noted', error: { code: 'ERR_QUEUE_FULL', sent: false } });
    await client.close();
    expect(lost(entries)).toBe(failed.length);
    expect(entries[0]).toMatchObject({ kind: 'event-lost', code: 'ERR_QUEUE_FULL', pattern: 'noted' });
  });

  it.each([
    [
      'with a wrong key',
      async () => ({ keyring: newKeyring(), port: portOf((await startApplication({})).server) }),
      'ERR_ALERT',
    ],
    ['without a server', async () => ({ port: await closedPort() }), 'ERR_CONNECT_FAILED'],
  ] as const)('%s is counted, logged and reported by an event', async (_which, place, code) => {
    const { port, ...options } = await place();
    const client = await startCaller(port, options);
    const entries = collectLog();
    const failed = collectEvents(client);
    emitAll(client, 3);
    await expect.poll(() => client.snapshot().eventsFailed).toBe(3);
    await client.close();
    expect(failed.map(({ error }) => error)).toMatchObject([1, 2, 3].map(() => ({ code, sent: false })));
    expect(lost(entries)).toBe(3);
    expect(entries.find(({ kind }) => kind === 'event-lost')).toMatchObject({ code, pattern: 'noted' });
  });

  it('reports events that cannot be serialized and events that Nest rejects', async () => {
    const { client } = await startApplication({ controllers });
    const entries = collectLog();
    client.emit('noted', 1n);
    client.emit('noted', undefined);
    await expect.poll(() => client.snapshot().eventsFailed).toBe(2);
    await client.close();
    expect(entries.map(({ message }) => message)).toEqual([
      expect.stringContaining('invalid data or message pattern') as string,
      expect.stringContaining('ERR_MESSAGE_UNSERIALIZABLE') as string,
    ]);
  });

  it('sends an event again that was not acknowledged when the connection was lost', async () => {
    const { client } = await startApplication({ controllers, server: { limits: { maxRunning: 1 } } });
    const failed = collectEvents(client);
    const held = firstValueFrom(holding);
    await lastValueFrom(client.emit('hold', 1), { defaultValue: undefined });
    await held;
    client.emit('noted', 2);
    await client.ping();
    client.unwrap().destroy();
    await expect.poll(() => client.snapshot().connected).toBe(2);
    release.next();
    await expect.poll(() => noted).toEqual([2]);
    await expect.poll(() => client.snapshot()).toMatchObject({ inFlight: 0, waiting: 0, eventsFailed: 0 });
    expect(failed).toEqual([]);
  });
});

it('emit() with a subscriber counts a failure without logging it, because the subscriber gets the error', async () => {
  const client = await startCaller(await closedPort());
  const entries = collectLog();
  expect(await outcome(client.emit('noted', 1))).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  expect(client.snapshot().eventsFailed).toBe(1);
  await client.close();
  expect(entries).toEqual([]);
});

it.each([
  ['requestTimeoutMs', 50, 1],
  ['setTimeoutMs', 0, new SealwireRecordBuilder(1).setTimeoutMs(50).build()],
])('emit() fails at the timeout of %s while it waits for a connection', async (_option, requestTimeoutMs, data) => {
  const client = newClient(1, { requestTimeoutMs, timeouts: { waitForConnectionMs: 60_000 } });
  expect(await outcome(client.emit('noted', data))).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: false });
  expect(client.snapshot()).toMatchObject({ waiting: 0, eventsFailed: 1 });
});

describe('close() right after emit()', () => {
  it.each([
    ['before there is a connection', (): undefined => undefined],
    ['while it connects', (client: SealwireClient) => void client.connect()],
    ['with a connection', (client: SealwireClient) => client.connect()],
  ])('delivers the events first, %s', async (_when, prepare) => {
    const { client } = await startApplication({
      controllers,
      server: { limits: { maxInFlight: 2 } },
      client: { timeouts: { drainMs: 60_000 } },
    });
    await prepare(client);
    emitAll(client, 20);
    await client.close();
    expect(noted).toEqual(Array.from({ length: 20 }, (_, value) => value));
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0, eventsFailed: 0 });
  });

  it('delivers events that are still being serialized', async () => {
    const serializer = {
      serialize: async (packet: unknown) => {
        await new Promise(setImmediate);
        return packet;
      },
    };
    const options = { serializer, timeouts: { drainMs: 60_000 } };
    const { client } = await startApplication({ controllers, client: options });
    await client.connect();
    emitAll(client, 5);
    await client.close();
    expect(noted).toEqual([0, 1, 2, 3, 4]);
  });

  it('delivers events if the server starts during the drain', async () => {
    const port = await closedPort();
    const wait = {
      timeouts: { waitForConnectionMs: 60_000, drainMs: 60_000 },
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    };
    const client = await startCaller(port, wait);
    const failed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'failed')));
    client.emit('noted', 1);
    await failed;
    const closed = client.close();
    await startApplication({ controllers, server: { port } });
    await closed;
    expect(noted).toEqual([1]);
  });

  it('stops waiting after the drain, and reports the undelivered events', async () => {
    const wait = {
      timeouts: { waitForConnectionMs: 60_000, drainMs: 30 },
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    };
    const client = await startCaller(await closedPort(), wait);
    const failed = collectEvents(client);
    client.emit('noted', 1);
    await client.close();
    await expect
      .poll(() => failed.map(({ error }) => error))
      .toMatchObject([{ code: 'ERR_CLIENT_CLOSED', sent: false }]);
    expect(client.snapshot()).toMatchObject({ state: 'idle', waiting: 0, eventsFailed: 1 });
  });

  it('fails and reports events whose serializer does not finish', async () => {
    const serializer = { serialize: () => new Promise<never>(() => undefined) };
    const { client } = await startApplication({ controllers, client: { serializer, timeouts: { drainMs: 30 } } });
    await client.connect();
    emitAll(client, 3);
    const answer = outcome(client.send('echo', 1));
    await client.close();
    expect(await answer).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
    expect(client.snapshot()).toMatchObject({ state: 'idle', waiting: 0, eventsFailed: 3 });
  });

  it.each([0, 60_000])(
    'refuses requests that wait with the events, waiting up to %i ms',
    async (waitForConnectionMs) => {
      const { client, server } = await startApplication({
        controllers,
        client: { timeouts: { waitForConnectionMs, drainMs: 60_000 } },
      });
      const answer = lastValueFrom(client.send('echo', 1)).catch((error: unknown) => error);
      client.emit('noted', 1);
      const closed = client.close();
      expect(await answer).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
      await closed;
      expect([noted, acceptedBy(server)]).toEqual([[1], 1]);
    },
  );
});

function acceptedBy(server: SealwireServer): number {
  return server.snapshot().accepted;
}
