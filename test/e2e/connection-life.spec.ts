// What callers and operators see of connections that come and go.
import { createHash } from 'node:crypto';
import { once } from 'node:events';

import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { firstValueFrom, filter, Subject, take, timeout } from 'rxjs';
import type { Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import type { ClientConnectionEvent, SealwireClient, ServerConnectionEvent } from '@sealwire/transport';
import { EchoController, outcome, startApplication, startCaller } from '../support/application.js';
import { endAll, newKeyring, portOf } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { PING } from '../support/rogue-words.js';

const [started, release] = [new Subject<void>(), new Subject<number>()];

@Controller()
class HoldingController {
  @MessagePattern('hold')
  hold(): Promise<number> {
    started.next();
    return firstValueFrom(release);
  }
}

const controllers = [EchoController, HoldingController];

afterEach(() => endAll());

describe('a client with redial', () => {
  it('reconnects without a call once the server is back', async () => {
    const redialing = { redial: { minMs: 5, maxMs: 20 } };
    const { app, client, server } = await startApplication({ controllers, client: redialing });
    const port = portOf(server);
    await client.connect();
    const failed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'failed')));
    await app.close();
    await failed;
    const connected = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'connected')));
    await startApplication({ controllers, server: { port } });
    await connected;
    expect(client.snapshot()).toMatchObject({ state: 'connected', connections: 1, connected: 2 });
  });
});

describe('connectionEvents of a client', () => {
  /** The events of both and of `status` so far. */
  function watch(client: SealwireClient) {
    const events: ClientConnectionEvent[] = [];
    const statuses: string[] = [];
    client.connectionEvents.subscribe((event) => events.push(event));
    client.status.subscribe((status) => statuses.push(status));
    return { events, statuses, types: () => events.map(({ type }) => type) };
  }

  it('emit once for a destroyed socket, and for the connection of the next call', async () => {
    const { client } = await startApplication({});
    const { types, statuses } = watch(client);
    await client.connect();
    client.unwrap().destroy();
    await expect.poll(types).toEqual(['connecting', 'connected', 'disconnected']);
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0 });
    await client.connect();
    expect(types().slice(3)).toEqual(['connecting', 'connected']);
    expect(statuses).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('emit only "draining" when the server closes gracefully', async () => {
    const { app, client } = await startApplication({});
    const { types, statuses } = watch(client);
    await client.ping();
    await app.close();
    await expect.poll(() => client.snapshot().connections).toBe(0);
    expect(types()).toEqual(['connecting', 'connected', 'draining']);
    expect(statuses).toEqual(['connected', 'disconnected']);
  });

  it('emit close() without an error', async () => {
    const { client } = await startApplication({});
    const { events, statuses } = watch(client);
    await client.connect();
    await client.close();
    expect(events.at(-1)).toEqual({ type: 'disconnected', server: expect.any(String), error: undefined });
    expect(events).toHaveLength(3);
    expect(statuses).toEqual(['connected', 'disconnected']);
  });
});

describe('a listener of connectionEvents', () => {
  it.each([0, 1_000])('may send during the connect event, over that connection: waiting up to %i ms', async (ms) => {
    const { client, server } = await startApplication({
      controllers,
      client: { timeouts: { waitForConnectionMs: ms } },
    });
    const answers: Promise<unknown>[] = [];
    client.connectionEvents
      .pipe(take(2))
      .subscribe(({ type }) => answers.push(firstValueFrom(client.send('echo', type))));
    expect(await firstValueFrom(client.send('echo', 1))).toBe(1);
    expect(await Promise.all(answers)).toEqual(['connecting', 'connected']);
    expect(server.snapshot().accepted).toBe(1);
  });

  it('has the status disconnected after a failed first dial, as in Nest’s own client', async () => {
    const { server, app, client } = await startApplication({});
    const statuses: string[] = [];
    client.status.subscribe((status) => statuses.push(status));
    await app.close();
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    expect(statuses).toEqual(['disconnected']);
    expect(server.snapshot().accepted).toBe(0);
  });

  it.each([
    ['dials', () => Promise.resolve(), ['connecting', 'disconnected']],
    ['pauses before the next dial', (failed: Promise<unknown>) => failed, ['connecting', 'failed', 'disconnected']],
  ])('is called for close() while the client %s', async (_what, reached, expected) => {
    const { app, client } = await startApplication({ client: { redial: { minMs: 30_000 } } });
    await app.close();
    const types: string[] = [];
    client.connectionEvents.subscribe(({ type }) => types.push(type));
    const failed = client.connect().catch((error: unknown) => error);
    await reached(failed);
    await client.close();
    await failed;
    expect(types).toEqual(expected);
    expect(client.snapshot().state).toBe('idle');
  });

  it('is called for close() after the event during which another listener closed', async () => {
    const { client } = await startApplication({});
    const [types, statuses]: [string[], string[]] = [[], []];
    client.status.pipe(take(1)).subscribe(() => void client.close());
    client.status.subscribe((status) => statuses.push(status));
    client.connectionEvents.subscribe(({ type }) => types.push(type));
    await client.connect();
    expect(types).toEqual(['connecting', 'connected', 'disconnected']);
    expect(statuses).toEqual(['connected', 'disconnected']);
    expect(client.snapshot().state).toBe('idle');
  });

  it.each([0, 1_000])('may close during the connect event: waiting up to %i ms', async (ms) => {
    const { client, server } = await startApplication({
      controllers,
      client: { timeouts: { waitForConnectionMs: ms } },
    });
    client.connectionEvents.subscribe(() => void client.close());
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject({
      code: 'ERR_CLIENT_CLOSED',
      sent: false,
    });
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0 });
    expect(server.snapshot().accepted).toBe(0);
  });
});

describe('a call while the server is down', () => {
  it('is answered when the server starts in time, and otherwise fails with the reason', async () => {
    const { app, server } = await startApplication({});
    const port = portOf(server);
    await app.close();
    const patient = await startCaller(port, {
      timeouts: { waitForConnectionMs: 10_000 },
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    });
    const answer = firstValueFrom(patient.send('echo', 'late'));
    const hasty = await startCaller(port, {
      timeouts: { waitForConnectionMs: 30 },
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    });
    await expect(firstValueFrom(hasty.send('echo', 'x'))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_CONNECT_/) as string, // FAILED, or TIMEOUT before the first dial has failed
      sent: false,
    });
    await startApplication({ controllers, server: { port } });
    expect(await answer).toBe('late');
  });

  const WAIT = {
    timeouts: { waitForConnectionMs: 60_000 },
    limits: { maxQueuedMessages: 3 },
    redial: { minMs: 5, maxMs: 20, inBackground: false },
  };

  it('stops waiting once it is unsubscribed, and frees its place for another call', async () => {
    const { app, server, client } = await startApplication({ controllers, client: WAIT });
    const port = portOf(server);
    await app.close();
    const waiting: Subscription[] = [1, 2, 3].map((data) => client.send('echo', data).subscribe());
    await expect(firstValueFrom(client.send('echo', 4))).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    for (const call of waiting) call.unsubscribe();
    expect(client.snapshot().waiting).toBe(0);
    const answer = firstValueFrom(client.send('echo', 'next'));
    expect(client.snapshot().waiting).toBe(1);
    await startApplication({ controllers, server: { port } });
    expect(await answer).toBe('next');
  });

  it('waits at most for its own timeout()', async () => {
    const { app, client } = await startApplication({ controllers, client: WAIT });
    await app.close();
    const impatient = [1, 2, 3].map((data) => firstValueFrom(client.send('echo', data).pipe(timeout(20))));
    for (const call of impatient) await expect(call).rejects.toThrow('Timeout');
    expect(client.snapshot().waiting).toBe(0);
  });

  it('has waited when its deadline arrives', async () => {
    const { app, client } = await startApplication({ controllers, client: { ...WAIT, requestTimeoutMs: 30 } });
    await app.close();
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: false,
    });
    expect(client.snapshot().waiting).toBe(0);
  });

  it('reports its whole deadline, including the wait', async () => {
    const { app, server, client } = await startApplication({ client: { ...WAIT, requestTimeoutMs: 1_200 } });
    const port = portOf(server);
    await app.close();
    const failure = outcome(client.send('hold', 0));
    await firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'failed')));
    await startApplication({ controllers, server: { port } });
    expect(await failure).toMatchObject({
      message: 'The call timed out: it was not complete within 1200 ms',
      sent: true,
    });
  });

  it('is rejected by Nest immediately if it is not a message', async () => {
    const { app, client } = await startApplication({ controllers, client: WAIT });
    await app.close();
    await expect(firstValueFrom(client.send('echo', null))).rejects.toThrow('invalid data');
    expect(client.snapshot()).toMatchObject({ state: 'idle', waiting: 0 });
  });
});

describe('ping()', () => {
  it('returns the round-trip time, which both snapshots show afterwards', async () => {
    const { client } = await startApplication({});
    expect(client.snapshot().roundTripMs).toBeUndefined();
    const roundTrips = await Promise.all([client.ping(), client.ping()]);
    expect(roundTrips[0]).toBeGreaterThan(0);
    expect(roundTrips[1]).toBe(roundTrips[0]); // one PING answered both
    expect(client.snapshot().roundTripMs).toBe(roundTrips[0]);
  });

  it('fails with the connection, and with the dial', async () => {
    const { app, client } = await startApplication({});
    await client.connect();
    const ping = client.ping();
    client.unwrap().destroy();
    await expect(ping).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
    await app.close();
    await expect(client.ping()).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });
});

describe('a server', () => {
  it('emits events for connections that open, close and are refused', async () => {
    const { client, server } = await startApplication({});
    const events: ServerConnectionEvent[] = [];
    const closed = new Subject<void>();
    server.connectionEvents.subscribe((event) => {
      events.push(event);
      if (event.type === 'closed') closed.next();
    });
    await client.connect();
    await client.ping();
    const stranger = await startCaller(portOf(server), { keyring: newKeyring() });
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
    const gone = firstValueFrom(closed);
    await client.close();
    await gone;
    const address = expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string;
    const keyId = expect.stringMatching(/^[0-9a-f]{16}$/) as string;
    const instanceId = expect.stringMatching(/^[0-9a-f]{32}$/) as string;
    expect(events).toEqual([
      { type: 'opened', address, keyId, instanceId },
      { type: 'refused', address, error: expect.objectContaining({ code: 'ERR_UNKNOWN_KEY' }) as Error },
      { type: 'closed', address, keyId, instanceId, error: undefined },
    ]);
  });

  it('identifies a client object by the hash of its instance key, on all its connections', async () => {
    const { client, server } = await startApplication({});
    const opened: string[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'opened') opened.push(event.instanceId);
    });
    for (const _ of [1, 2]) {
      await client.ping();
      await client.close();
    }
    const rogue = await RoguePeer.dial(portOf(server));
    rogue.write(rogue.message1());
    await rogue.hears('message 2');
    rogue.say(rogue.confirm(), PING);
    await rogue.hears('PONG');
    rogue.leave();
    const [first, again, other] = opened;
    expect(again).toBe(first);
    expect(other).toBe(createHash('sha256').update(rogue.instance.publicKey).digest('hex').slice(0, 32));
  });

  it('shows the connected, in-flight, running and failed counts in its snapshot', async () => {
    const { client, server } = await startApplication({ controllers });
    const running = firstValueFrom(started);
    const answer = firstValueFrom(client.send('hold', 0));
    await running;
    expect(server.snapshot()).toMatchObject({ connections: 1, strangers: 0, inFlight: 1, running: 1, accepted: 1 });
    expect(client.snapshot()).toMatchObject({ state: 'connected', connections: 1, inFlight: 1, waiting: 0 });
    release.next(1);
    await answer;
    expect(client.snapshot().inFlight).toBe(0);
    expect(server.snapshot()).toMatchObject({ inFlight: 0, running: 0 });
    expect(server.snapshot().bytesRead).toBe(client.snapshot().bytesWritten);
    const failed = firstValueFrom(server.connectionEvents.pipe(filter(({ type }) => type === 'closed')));
    client.unwrap().destroy();
    await failed;
    const { bytesRead } = server.snapshot();
    expect(bytesRead).toBeGreaterThan(0);
    expect(server.snapshot()).toMatchObject({ connections: 0, connectionsFailed: 1, handshakesFailed: 0 });
  });

  it('refuses connections beyond its limit, and serves the others', async () => {
    const { client, server } = await startApplication({ controllers, server: { limits: { maxConnections: 2 } } });
    const clients = [client, await startCaller(portOf(server))];
    for (const each of clients) await each.ping();
    const late = await startCaller(portOf(server));
    const events: ClientConnectionEvent[] = [];
    late.connectionEvents.subscribe((event) => events.push(event));
    await expect(firstValueFrom(late.send('echo', 1))).rejects.toMatchObject({ code: 'ERR_OVERLOADED', sent: false });
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['connecting', 'connected', 'draining']);
    for (const each of clients) expect(await firstValueFrom(each.send('echo', 1))).toBe(1);
    const left = once(client.unwrap(), 'close');
    await client.close();
    await left;
    await expect.poll(() => server.snapshot().connections).toBe(1);
    expect(await firstValueFrom(late.send('echo', 2))).toBe(2);
  });
});
