// A connection that says nothing for a second gives up what the next byte or call can make again, at the server.
import { setImmediate as turn } from 'node:timers/promises';
import { queryObjects } from 'node:v8';

import { firstValueFrom, lastValueFrom, Subject, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import type { SealwireClient, SealwireServer } from '@sealwire/transport';
import { Outbox } from '../../libs/channel/src/connection/outbox.js';
import { RecordLayer } from '../../libs/channel/src/connection/record-layer.js';
import { OpeningDeserializer, SealingSerializer } from '../../libs/channel/src/connection/sealing.js';
import { AnswerQueue } from '../../libs/channel/src/streams/answer-queue.js';
import { MessageAssembler } from '../../libs/channel/src/streams/assembler.js';
import { IdTable } from '../../libs/channel/src/streams/id-table.js';
import { FrameSender } from '../../libs/channel/src/sending/sender.js';
import { ServerStream } from '../../libs/channel/src/streams/server-stream.js';
import { Dispatcher } from '../../libs/transport/src/server/dispatcher.js';
import { FakeClock } from '../support/fake-clock.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(endAll);

/** What a connection holds while it is in use. The client of this process has the first three as well, and keeps them. */
const IN_USE = [MessageAssembler, FrameSender, IdTable, AnswerQueue, Dispatcher, ServerStream, RecordLayer, Outbox];
const counts = (): number[] => IN_USE.map((type) => queryObjects(type, { format: 'count' }));

interface Pair {
  readonly server: SealwireServer;
  readonly client: SealwireClient;
  readonly time: FakeClock;
  readonly echo: (value: unknown) => Promise<unknown>;
}

/** A server and a client that have said nothing for two seconds. */
async function hibernating(options: Parameters<typeof startServer>[0] = {}): Promise<Pair> {
  const time = FakeClock.install();
  const server = await startServer({ ...options, timeouts: { pingIntervalMs: 0 } });
  const client = newClient(portOf(server), {
    timeouts: { pingIntervalMs: 0 },
    ...(options.limits?.key && { limits: { key: options.limits.key } }),
  });
  const echo = (value: unknown): Promise<unknown> => lastValueFrom(client.send('echo', value));
  expect(await echo(1)).toBe(1);
  await time.advanceAsync(2_000);
  return { server, client, time, echo };
}

describe('a connection that hibernates', () => {
  it('has no queue, table, dispatcher or stream, and creates them again with the next request', async () => {
    const { server, client, time, echo } = await hibernating();
    const idle = counts();
    expect(idle.slice(3)).toEqual([0, 0, 0, 0, 0]);
    let release = (): void => undefined;
    server.addHandler('wait', () => new Promise<void>((resolve) => (release = resolve)));
    const waiting = lastValueFrom(client.send('wait', 1), { defaultValue: 'done' });
    while (server.snapshot().running === 0) await turn();
    await time.advanceAsync(5_000); // a handler runs: it is not idle
    expect(counts().slice(3)).toEqual([1, 1, 1, 2, 2]); // the last two at either end
    release();
    release = () => undefined; // its promise holds the async context of the handler
    expect(await waiting).toBe('done');
    await time.advanceAsync(2_000);
    expect(counts()).toEqual(idle);
    expect(await echo('again')).toBe('again');
  });

  it('answers a request, a stream and a large message', async () => {
    const { server, client, time, echo } = await hibernating();

    const values = new Subject<number>();
    server.addHandler('subject', () => Promise.resolve(values));
    const answers = lastValueFrom(client.send<number>('subject', 1).pipe(toArray()));
    while (!values.observed) await turn();
    values.next(1);
    await time.advanceAsync(3_000); // between two values of a stream
    values.next(2);
    values.complete();
    expect(await answers).toEqual([1, 2]);
    await time.advanceAsync(2_000);
    const large = 'x'.repeat(300_000);
    expect(await echo(large)).toBe(large);
  });

  it('hands over an event, and does not hand it over twice', async () => {
    const { server, client, time } = await hibernating();
    const events: unknown[] = [];
    server.addHandler('noted', (value: unknown) => Promise.resolve(void events.push(value)), true);
    for (const value of [1, 2]) {
      await firstValueFrom(client.emit('noted', value), { defaultValue: undefined });
      await time.advanceAsync(2_000);
    }
    expect(events).toEqual([1, 2]);
  });

  it('keeps the place of an event handler that still runs', async () => {
    const { server, client, time } = await hibernating({ limits: { maxRunning: 1 } });
    let release = (): void => undefined;
    server.addHandler('slow', () => new Promise<void>((resolve) => (release = resolve)), true);
    await firstValueFrom(client.emit('slow', 1), { defaultValue: undefined });
    await time.advanceAsync(2_000);
    await expect(lastValueFrom(client.send('echo', 1))).rejects.toMatchObject({ code: 'ERR_OVERLOADED' });
    release();
    while (server.snapshot().running > 0) await turn();
    expect(await lastValueFrom(client.send('echo', 2))).toBe(2);
  });

  it('answers a PING, and its snapshot counts as before', async () => {
    const { server, client } = await hibernating();
    const { bytesRead, bytesWritten } = server.snapshot();
    expect(await client.ping()).toBeGreaterThanOrEqual(0);
    const pingBytes = 2 + 16 + 16;
    expect(server.snapshot()).toMatchObject({
      connections: 1,
      inFlight: 0,
      running: 0,
      accepted: 1,
      bytesRead: bytesRead + pingBytes,
      bytesWritten: bytesWritten + pingBytes,
    });
  });

  it('sends its own PINGs, and ends without a PONG', async () => {
    const time = FakeClock.install();
    const server = await startServer({ timeouts: { pingIntervalMs: 10_000 } });
    const client = newClient(portOf(server), { timeouts: { pingIntervalMs: 0 } });
    await client.connect();
    expect(await lastValueFrom(client.send('echo', 1))).toBe(1);
    await time.advanceAsync(25_000);
    while (server.snapshot().roundTripMs === undefined) await turn();
    expect(server.snapshot().connections).toBe(1);
  });

  it('closes by agreement if either side closes', async () => {
    for (const closer of ['server', 'client'] as const) {
      const { server, client } = await hibernating();
      const ended = firstValueFrom(server.connectionEvents);
      await (closer === 'server' ? server : client).close();
      expect(await ended).toMatchObject({ type: 'closed', error: undefined });
    }
  });

  it('replaces its keys by their age, and seals the next request with the new ones', async () => {
    const key = { softAgeMs: 60_000, hardAgeMs: 120_000 };
    const { time, echo } = await hibernating({ limits: { key } });
    const directions = (): number[] =>
      [SealingSerializer, OpeningDeserializer].map((type) => queryObjects(type, { format: 'count' }));
    const before = directions();
    for (let minutes = 0; minutes < 3; minutes++) await time.advanceAsync(60_000);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect([before, directions()]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(await echo('under the new key')).toBe('under the new key');
  });
});
