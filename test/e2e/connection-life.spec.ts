// What callers and operators see of connections that come and go.
import { once } from 'node:events';

import { firstValueFrom, filter, Subject, timeout } from 'rxjs';
import type { Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import type { ClientConnectionEvent, ServerConnectionEvent } from '@sealwire/transport';
import { endAll, newClient, newKeyring, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

describe('a client with redial', () => {
  it('is connected again without a call, once the server is back', async () => {
    const server = await startServer();
    const port = portOf(server);
    const client = newClient(port, { redial: true, redialMinMs: 5, redialMaxMs: 20 });
    await client.connect();
    const failed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'failed')));
    await server.close();
    await failed;
    const connected = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'connected')));
    await startServer({ port });
    await connected;
    expect(client.snapshot()).toMatchObject({ state: 'connected', connections: 1, connected: 2 });
  });
});

describe('a call while the server is down', () => {
  it('is answered when the server comes up in time, and told why not otherwise', async () => {
    const server = await startServer();
    const port = portOf(server);
    await server.close();
    const patient = newClient(port, { waitForConnectionMs: 10_000, redialMinMs: 5, redialMaxMs: 20 });
    const answer = firstValueFrom(patient.send('echo', 'late'));
    const hasty = newClient(port, { waitForConnectionMs: 30, redialMinMs: 5, redialMaxMs: 20 });
    await expect(firstValueFrom(hasty.send('echo', 'x'))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_CONNECT_/) as string, // FAILED, or TIMEOUT before the first dial has failed
      sent: false,
    });
    await startServer({ port });
    expect(await answer).toBe('late');
  });

  const WAIT = { waitForConnectionMs: 60_000, maxQueuedMessages: 3, redialMinMs: 5, redialMaxMs: 20 };

  it('waits no longer once it is unsubscribed, and another one has its place', async () => {
    const server = await startServer();
    const port = portOf(server);
    await server.close();
    const client = newClient(port, WAIT);
    const waiting: Subscription[] = [1, 2, 3].map((data) => client.send('echo', data).subscribe());
    await expect(firstValueFrom(client.send('echo', 4))).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    for (const call of waiting) call.unsubscribe();
    expect(client.snapshot().waiting).toBe(0);
    const answer = firstValueFrom(client.send('echo', 'next'));
    expect(client.snapshot().waiting).toBe(1);
    await startServer({ port });
    expect(await answer).toBe('next');
  });

  it('waits no longer than its own timeout()', async () => {
    const server = await startServer();
    const port = portOf(server);
    await server.close();
    const client = newClient(port, WAIT);
    const impatient = [1, 2, 3].map((data) => firstValueFrom(client.send('echo', data).pipe(timeout(20))));
    for (const call of impatient) await expect(call).rejects.toThrow('Timeout');
    expect(client.snapshot().waiting).toBe(0);
  });

  it('has waited when its deadline comes', async () => {
    const server = await startServer();
    const port = portOf(server);
    await server.close();
    const client = newClient(port, { ...WAIT, requestTimeoutMs: 30 });
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: false,
    });
    expect(client.snapshot().waiting).toBe(0);
  });

  it('lets Nest refuse what is no message without waiting', async () => {
    const server = await startServer();
    const port = portOf(server);
    await server.close();
    const client = newClient(port, WAIT);
    await expect(firstValueFrom(client.send('echo', null))).rejects.toThrow('invalid data');
    expect(client.snapshot()).toMatchObject({ state: 'idle', waiting: 0 });
  });
});

describe('ping()', () => {
  it('tells the round trip, which both snapshots show from then on', async () => {
    const server = await startServer();
    const client = newClient(portOf(server));
    expect(client.snapshot().roundTripMs).toBeUndefined();
    const roundTrips = await Promise.all([client.ping(), client.ping()]);
    expect(roundTrips[0]).toBeGreaterThan(0);
    expect(roundTrips[1]).toBe(roundTrips[0]); // one PING answered both
    expect(client.snapshot().roundTripMs).toBe(roundTrips[0]);
  });

  it('fails with the connection, and with the dial', async () => {
    const server = await startServer();
    const client = newClient(portOf(server));
    await client.connect();
    const ping = client.ping();
    client.unwrap().destroy();
    await expect(ping).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
    await server.close();
    await expect(client.ping()).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });
});

describe('a server', () => {
  it('tells of connections that open, close, and are refused', async () => {
    const server = await startServer();
    const events: ServerConnectionEvent[] = [];
    const closed = new Subject<void>();
    server.connectionEvents.subscribe((event) => {
      events.push(event);
      if (event.type === 'closed') closed.next();
    });
    const client = newClient(portOf(server));
    await client.connect();
    await client.ping();
    const stranger = newClient(portOf(server), { keyring: newKeyring() });
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
    const gone = firstValueFrom(closed);
    await client.close();
    await gone;
    const address = expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string;
    const keyId = expect.stringMatching(/^[0-9a-f]{16}$/) as string;
    expect(events).toEqual([
      { type: 'opened', address, keyId },
      { type: 'refused', address, error: expect.objectContaining({ code: 'ERR_UNKNOWN_KEY' }) as Error },
      { type: 'closed', address, keyId, error: undefined },
    ]);
  });

  it('shows in its snapshot what is connected, in flight and running, and what has failed', async () => {
    const server = await startServer();
    const [started, release] = [new Subject<void>(), new Subject<number>()];
    server.addHandler('hold', () => {
      started.next();
      return firstValueFrom(release);
    });
    const client = newClient(portOf(server));
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

  it('turns away whoever comes when it has as many connections as it takes, and serves the others', async () => {
    const server = await startServer({ maxConnections: 2 });
    const clients = [newClient(portOf(server)), newClient(portOf(server))];
    for (const client of clients) await client.ping();
    const late = newClient(portOf(server));
    const events: ClientConnectionEvent[] = [];
    late.connectionEvents.subscribe((event) => events.push(event));
    await expect(firstValueFrom(late.send('echo', 1))).rejects.toMatchObject({ code: 'ERR_OVERLOADED' });
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['connecting', 'connected', 'draining']);
    for (const client of clients) expect(await firstValueFrom(client.send('echo', 1))).toBe(1);
    const left = once(clients[0]?.unwrap() ?? late.unwrap(), 'close');
    await clients[0]?.close();
    await left;
    await expect.poll(() => server.snapshot().connections).toBe(1);
    expect(await firstValueFrom(late.send('echo', 2))).toBe(2);
  });
});
