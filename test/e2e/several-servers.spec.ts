import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AddressInfo } from 'node:net';

import { ChannelClient } from '@sealwire/channel';
import type { ClientConnectionEvent } from '@sealwire/channel';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import type { SealwireClientOptions, SealwireClientSnapshot, SealwireServerOptions } from '@sealwire/transport';
import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { resolver } from '../../libs/channel/src/pool/addresses/resolver.js';
import { endAll, endLater, keyring, listen, patient } from '../support/pair.js';
import { TcpProxy } from '../support/tcp-proxy.js';

afterEach(() => endAll());

interface NumberedServer {
  readonly server: SealwireServer;
  readonly port: number;
  readonly events: number[];
  /** Ends the calls of `hold`. */
  readonly release: () => void;
}

/** A server whose handlers answer with its number. */
async function start(
  number: number,
  options: Pick<SealwireServerOptions, 'limits'> & { readonly host?: string; readonly port?: number } = {},
): Promise<NumberedServer> {
  const server = new SealwireServer({ keyring, port: 0, ...patient(options) });
  const events: number[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  server.addHandler('number', () => Promise.resolve(number));
  server.addHandler('bytes', () => Promise.resolve(Buffer.from(String(number))));
  server.addHandler('hold', () => held.then(() => number));
  server.addHandler('noted', (event: number) => Promise.resolve(events.push(event)), true);
  endLater(server);
  await listen(server);
  return { server, port: (server.unwrap().address() as AddressInfo).port, events, release };
}

/** Three servers on one port of three addresses, as the containers of one service are. */
async function startThree(): Promise<readonly [NumberedServer, NumberedServer, NumberedServer]> {
  const first = await start(1, { host: '127.0.0.1' });
  const { port } = first;
  return [first, await start(2, { host: '127.0.0.2', port }), await start(3, { host: '127.0.0.3', port })];
}

const hostOf = (number: number): string => `127.0.0.${number}`;

function newClient(options: Partial<SealwireClientOptions>): SealwireClient {
  const client = new SealwireClient({ keyring, ...patient(options) });
  endLater(client);
  return client;
}

const clientOf = (servers: readonly NumberedServer[], options: Partial<SealwireClientOptions> = {}): SealwireClient =>
  newClient({ ...options, servers: servers.map(({ port }, index) => ({ host: hostOf(index + 1), port })) });

function until(client: SealwireClient, type: ClientConnectionEvent['type'], server = ''): Promise<unknown> {
  const isMeant = (event: ClientConnectionEvent): boolean =>
    event.type === type && 'server' in event && event.server.includes(server);
  return firstValueFrom(client.connectionEvents.pipe(filter(isMeant)));
}

/** Resolves when all servers of the client are connected. */
async function connectAll(client: SealwireClient, connections = 1): Promise<void> {
  const changed = (): Promise<unknown> => firstValueFrom(client.connectionEvents);
  let next = changed();
  await client.connect();
  const isOver = ({ servers, connected }: SealwireClientSnapshot): boolean =>
    connected >= connections && servers.every(({ state }) => state !== 'connecting');
  while (!isOver(client.snapshot())) {
    await next;
    next = changed();
  }
}

const ask = (client: SealwireClient, pattern = 'number'): Promise<number> =>
  firstValueFrom(client.send<number>(pattern, 0));

function countsOf(answers: readonly (number | string)[]): Readonly<Record<number | string, number>> {
  const counts: Record<number | string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

describe('a client with three servers', () => {
  it('spreads requests, whether they are concurrent or one after the other', async () => {
    const servers = await startThree();
    const client = clientOf(servers);
    await connectAll(client);
    const concurrent = await Promise.all(Array.from({ length: 300 }, () => ask(client)));
    expect(countsOf(concurrent)).toEqual({ 1: 100, 2: 100, 3: 100 });
    const answers: number[] = [];
    for (let call = 0; call < 30; call++) answers.push(await ask(client));
    expect(countsOf(answers)).toEqual({ 1: 10, 2: 10, 3: 10 });
    await servers[2].server.close();
    answers.length = 0;
    for (let call = 0; call < 20; call++) answers.push(await ask(client));
    expect(countsOf(answers)).toEqual({ 1: 10, 2: 10 });
  });

  it('is not slowed by a server that does not answer', async () => {
    const servers = await startThree();
    const client = clientOf(servers);
    await connectAll(client);
    client.unwrap().pause(); // nothing arrives from one of the servers
    const stuck = Array.from({ length: 3 }, () => ask(client).catch((error: unknown) => error));
    const answered = await Promise.any(stuck);
    for (let call = 0; call < 100; call++) await ask(client);
    expect(client.snapshot().inFlight).toBe(1);
    await expect(client.ping()).resolves.toBeGreaterThan(0);
    expect(answered).toBeTypeOf('number');
  });

  it('does not give a stalled server more than one request that times out', async () => {
    const servers = await startThree();
    const client = clientOf(servers, { requestTimeoutMs: 1_000 });
    await connectAll(client);
    client.unwrap().pause(); // nothing arrives from one of the servers
    const outcomes: unknown[] = [];
    for (let call = 0; call < 30; call++) outcomes.push(await ask(client).catch((error: unknown) => error));
    expect(outcomes.filter((outcome) => typeof outcome !== 'number')).toMatchObject([{ code: 'ERR_REQUEST_TIMEOUT' }]);
  });

  it('gives requests to a slow server again after it has answered a PING', async () => {
    const servers = await startThree();
    const client = clientOf(servers, { requestTimeoutMs: 1_000 });
    await connectAll(client);
    await expect(ask(client, 'hold')).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
    await client.ping();
    const answers: number[] = [];
    for (let call = 0; call < 30; call++) answers.push(await ask(client));
    expect(countsOf(answers)).toEqual({ 1: 10, 2: 10, 3: 10 });
  });

  it('does not wait for a slot of a server while another one has a free slot', async () => {
    const [full, ...others] = await Promise.all([start(1, { limits: { maxInFlight: 1 } }), start(2)]);
    const client = newClient({
      servers: [full, ...others].map(({ port }) => ({ host: hostOf(1), port })),
      limits: { maxQueuedMessages: 1 },
    });
    await connectAll(client, 2);
    const held = Array.from({ length: 30 }, () => ask(client, 'hold'));
    const whenHeld = Promise.all(held);
    for (const { release } of [full, ...others]) release();
    expect(countsOf(await whenHeld)).toEqual({ 1: 1, 2: 29 });
  });

  it('uses the others while a server is away, and the server again when it is back', async () => {
    const servers = await startThree();
    const client = clientOf(servers, { redial: { minMs: 10, maxMs: 100 } });
    await connectAll(client);
    const left = until(client, 'failed', hostOf(3));
    await servers[2].server.close();
    await left;
    for (let call = 0; call < 20; call++) expect(await ask(client)).not.toBe(3);
    const back = until(client, 'connected', hostOf(3));
    await start(4, { host: hostOf(3), port: servers[2].port });
    await back;
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(client)));
    expect(countsOf(answers)).toEqual({ 1: 10, 2: 10, 4: 10 });
  });

  it('fails a call with the reason of every server if none can be reached', async () => {
    const servers = await startThree();
    await Promise.all(servers.map(({ server }) => server.close()));
    await expect(ask(clientOf(servers))).rejects.toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      sent: false,
      message: expect.stringMatching(
        /^None of the 3 servers could be reached: .*127\.0\.0\.1:.*127\.0\.0\.2:.*127\.0\.0\.3:/,
      ) as string,
    });
  });

  it('holds calls until one of them serves, with waitForConnectionMs', async () => {
    const servers = await startThree();
    await Promise.all(servers.map(({ server }) => server.close()));
    const client = clientOf(servers, { timeouts: { waitForConnectionMs: 30_000 }, redial: { minMs: 10, maxMs: 50 } });
    const failed = until(client, 'failed', hostOf(2));
    const answers = Promise.all(Array.from({ length: 10 }, () => ask(client)));
    await failed;
    await start(2, { host: hostOf(2), port: servers[1].port });
    expect(countsOf(await answers)).toEqual({ 2: 10 });
  });

  it('ends all waiting calls on close(), and works again afterwards', async () => {
    const servers = await startThree();
    await Promise.all(servers.map(({ server }) => server.close()));
    const client = clientOf(servers, { timeouts: { waitForConnectionMs: 30_000 } });
    const failed = until(client, 'failed');
    const waiting = Array.from({ length: 10 }, () => ask(client).catch((error: unknown) => error));
    await failed;
    await client.close();
    for (const call of waiting) expect(await call).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
    await start(2, { host: hostOf(2), port: servers[1].port });
    expect(await ask(client)).toBe(2);
  });

  it('names the server of each call, connection and event', async () => {
    const servers = await startThree();
    const client = clientOf(servers);
    const seen: string[] = [];
    const note = (message: unknown): void => void seen.push((message as { readonly server: string }).server);
    subscribe('sealwire:client:call:end', note);
    onTestFinished(() => void unsubscribe('sealwire:client:call:end', note));
    await connectAll(client);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(client)));
    expect(countsOf(seen)).toEqual(countsOf(answers.map((number) => `${hostOf(number)}:${servers[0].port}`)));
    expect(client.snapshot().servers).toEqual(
      servers.map(({ port }, index) => ({
        server: `${hostOf(index + 1)}:${port}`,
        state: 'connected',
        connections: 1,
        inFlight: 0,
        failures: 0,
      })),
    );
  });

  it('has its own kind of client without Nest', async () => {
    const servers = await startThree();
    const connected = new Set<string>();
    let connectedToAll = (): void => undefined;
    const whenConnected = new Promise<void>((resolve) => (connectedToAll = resolve));
    const onConnectionEvent = (event: ClientConnectionEvent): void => {
      if (event.type === 'connected' && connected.add(event.server).size === 3) connectedToAll();
    };
    const addresses = servers.map(({ port }, index) => ({ host: hostOf(index + 1), port }));
    const client = new ChannelClient({ keyring, servers: addresses }, { onConnectionEvent });
    endLater(client);
    await client.request('bytes', Buffer.alloc(0));
    await whenConnected;
    const answers = await Promise.all(Array.from({ length: 90 }, () => client.request('bytes', Buffer.alloc(0))));
    expect(countsOf(answers.map(Number))).toEqual({ 1: 30, 2: 30, 3: 30 });
  });
});

describe('the events of one client', () => {
  it('go to one server in order, and move with their order when it leaves', async () => {
    const servers = await startThree();
    const client = clientOf(servers);
    await connectAll(client);
    const emit = (from: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          lastValueFrom(client.emit('noted', from + index), { defaultValue: undefined }),
        ),
      );
    await emit(0);
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    const first = servers.find(({ events }) => events.length > 0);
    expect(first?.events).toEqual(numbers);
    await first?.server.close();
    await emit(200);
    const others = servers.filter((server) => server !== first && server.events.length > 0);
    expect(others.map(({ events }) => events)).toEqual([numbers.map((number) => number + 200)]);
  });
});

describe('a name with several addresses', () => {
  function resolveTo(...numbers: readonly number[]): void {
    resolver.lookup = () => Promise.resolve(numbers.map(hostOf));
  }

  afterEach(() => {
    resolver.lookup = lookup;
  });
  const { lookup } = resolver;

  it('is one server for each, and follows addresses that appear and vanish', async () => {
    const servers = await startThree();
    const [{ port }] = servers;
    resolveTo(1, 2);
    const client = newClient({ host: 'server', port, timeouts: { resolveMs: 20 } });
    await connectAll(client);
    expect(countsOf(await Promise.all(Array.from({ length: 20 }, () => ask(client))))).toEqual({ 1: 10, 2: 10 });
    const held = [ask(client, 'hold'), ask(client, 'hold')];
    const appeared = until(client, 'connected', hostOf(3));
    const vanished = until(client, 'draining', hostOf(1));
    resolveTo(2, 3);
    await Promise.all([appeared, vanished]);
    const names = client.snapshot().servers.map(({ server, state }) => `${server} ${state}`);
    expect(names.sort()).toEqual([
      `server:${port} (127.0.0.1) draining`,
      `server:${port} (127.0.0.2) connected`,
      `server:${port} (127.0.0.3) connected`,
    ]);
    for (let call = 0; call < 20; call++) expect(await ask(client)).not.toBe(1);
    for (const { release } of servers) release();
    expect(countsOf(await Promise.all(held))).toEqual({ 1: 1, 2: 1 });
  });

  it('that does not exist fails the call with its reason', async () => {
    const client = newClient({ host: 'no-such-name.invalid', port: 1 });
    await expect(ask(client)).rejects.toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      sent: false,
      message: expect.stringMatching(/^Cannot connect to no-such-name\.invalid:1: getaddrinfo E/) as string,
    });
  });
});

describe('two addresses of one server', () => {
  it('have one connection, and no failure is reported', async () => {
    const { port } = await start(1, { host: '0.0.0.0' });
    const client = newClient({ servers: [1, 2].map((number) => ({ host: hostOf(number), port })) });
    const events: string[] = [];
    client.connectionEvents.subscribe(({ type }) => void events.push(type));
    await connectAll(client);
    expect(client.snapshot()).toMatchObject({ connections: 1, connected: 1, dialsFailed: 0 });
    expect(
      client
        .snapshot()
        .servers.map(({ state }) => state)
        .sort(),
    ).toEqual(['connected', 'duplicate']);
    expect(events).not.toContain('failed');
  });

  it('are both used after a renewal of their connection has reached another server', async () => {
    const [one, other] = [await start(1), await start(2)];
    const proxies = [await TcpProxy.to(one.port), await TcpProxy.to(one.port)] as const;
    onTestFinished(() => proxies.forEach((proxy) => proxy.close()));
    const servers = proxies.map(({ port }) => ({ host: hostOf(1), port }));
    const client = newClient({ servers, timeouts: { sessionSoftAgeMs: 300 } });
    await connectAll(client);
    const used = client.snapshot().servers[0]?.state === 'connected' ? proxies[0] : proxies[1];
    const renewed = until(client, 'renewed');
    used.target = other.port;
    await renewed;
    used.target = 1; // no server listens on this port
    const lost = until(client, 'disconnected', `:${used.port}`);
    used.reset();
    await lost;
    expect(await ask(client)).toBe(1);
  });
});

describe('connectionsPerServer', () => {
  it('opens this number of connections to each server', async () => {
    const servers = await startThree();
    const client = clientOf(servers, { connectionsPerServer: 2 });
    await connectAll(client, 6);
    expect(client.snapshot()).toMatchObject({ connections: 6, connected: 6 });
    expect(client.snapshot().servers.map(({ connections }) => connections)).toEqual([2, 2, 2]);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(client)));
    expect(countsOf(answers)).toEqual({ 1: 20, 2: 20, 3: 20 });
  });
});

describe('the option servers', () => {
  it.each([
    [{ servers: [] }, 'servers has 0 servers; it must have 1 to 64'],
    [{ servers: Array.from({ length: 65 }, () => ({ path: '/a' })) }, 'servers has 65 servers; it must have 1 to 64'],
    [{ servers: 'a:1' }, 'servers is of type string; it must be an array'],
    [{ servers: ['a:1'] }, 'servers[0] is of type string; it must be an object'],
    [{ servers: [{ port: 1 }] }, 'servers[0] must have either host (and optionally port), or path'],
    [{ servers: [{ host: 'a', path: '/a' }] }, 'servers[0] must have either host (and optionally port), or path'],
    [{ servers: [{ path: '/a' }, { host: '' }] }, 'servers[1].host is empty; it must be a non-empty string'],
    [{ servers: [{ host: 'a', port: 0 }] }, 'servers[0].port is 0; it must be an integer from 1 to 65535'],
    [{ servers: [{ hots: 'a' }] }, 'servers[0].hots is not an option; did you mean servers[0].host?'],
    [
      { servers: [{ host: 'a' }], port: 1 },
      'servers cannot be combined with host, port or path; give either servers, or one address',
    ],
    [{ connectionsPerServer: 17 }, 'connectionsPerServer is 17; it must be an integer from 1 to 16'],
  ])('is refused: %o', (options, message) => {
    const given = options as unknown as SealwireClientOptions;
    expect(() => new SealwireClient({ keyring, ...given })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', message }) as Error,
    );
  });
});
