// The order of the events of one client whose connections are renewed, stall, drain or are lost (docs/reliability.md).
import type { Socket } from 'node:net';

import { SealwireClient } from '@sealwire/transport';
import type {
  ClientConnectionEvent,
  SealwireClientOptions,
  SealwireServer,
  SealwireServerOptions,
} from '@sealwire/transport';
import { filter, firstValueFrom, Subject, switchMap, take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { resolver } from '../../libs/channel/src/pool/addresses/resolver.js';
import { outcome } from '../support/application.js';
import { LiveKeys, newKey } from '../support/live-keys.js';
import { endAll, endLater, keyring, patient, portOf, startServer } from '../support/pair.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const REDIAL = { minMs: 5, maxMs: 20, inBackground: true };
const DRAINS_LONG = { timeouts: { drainMs: 60_000 } };
const LOCALHOST = '127.0.0.1';
/** The target of a proxy that has no server. */
const NO_SERVER = 1;

let release = new Subject<string>();

beforeEach(() => {
  release = new Subject();
});

afterEach(async () => {
  release.complete();
  await endAll();
});

interface Place {
  readonly server: SealwireServer;
  readonly proxy: TcpProxy;
  /** The events that the server has handled. */
  readonly events: unknown[];
}

async function start(options: Partial<SealwireServerOptions> & { readonly host?: string } = {}): Promise<Place> {
  const server = await startServer(options);
  const events: unknown[] = [];
  server.addHandler('noted', (event: unknown) => Promise.resolve(void events.push(event)), true);
  server.addHandler('hold', () => firstValueFrom(release, { defaultValue: 'end' }));
  const proxy = await TcpProxy.to(portOf(server));
  onTestFinished(() => proxy.close());
  return { server, proxy, events };
}

function newClient(places: readonly Place[], options: Partial<SealwireClientOptions> = {}): SealwireClient {
  const servers = places.map(({ proxy }) => ({ host: LOCALHOST, port: proxy.port }));
  const client = new SealwireClient({ keyring, servers, redial: REDIAL, ...patient(options) });
  endLater(client);
  return client;
}

const emit = (client: SealwireClient, event: string): Promise<unknown> => outcome(client.emit('noted', event));

function until(client: SealwireClient, type: ClientConnectionEvent['type']): Promise<unknown> {
  return firstValueFrom(client.connectionEvents.pipe(filter((event) => event.type === type)));
}

/** Two servers, of which the client can reach the first one only: its events go there. */
async function startTwo(options: Partial<SealwireServerOptions> = {}): Promise<readonly [Place, Place]> {
  const { keyring: keys = keyring } = options;
  const [first, second] = [await start(options), await start({ keyring: keys })];
  second.proxy.target = NO_SERVER;
  return [first, second];
}

/** Lets the client reach a server, and waits until it is connected to all of them. */
async function letIn({ server, proxy }: Place, client: SealwireClient): Promise<void> {
  proxy.target = portOf(server);
  await expect.poll(() => client.snapshot().servers.every(({ state }) => state === 'connected')).toBe(true);
}

/** Takes the only slot of the client at a server. */
async function takeSlot(client: SealwireClient, { server }: Place): Promise<void> {
  void outcome(client.send('hold', 0));
  await expect.poll(() => server.snapshot().running).toBe(1);
}

describe('an event that a stalled connection could not take', () => {
  interface Stalled {
    readonly client: SealwireClient;
    /** The stalled connection. */
    readonly old: Socket | undefined;
    /** The event `a`, which waits on the stalled connection, and requests before it. */
    readonly waiting: Promise<unknown>;
  }

  /** A client with a new connection to the first server, after the old one has stalled. */
  async function stall(
    first: Place,
    others: readonly Place[],
    keys: LiveKeys,
    beforeRenewal: () => void = () => undefined,
  ): Promise<Stalled> {
    const client = newClient([first, ...others], { keyring: keys, timeouts: { waitForConnectionMs: 60_000 } });
    await client.ping(); // the server knows the client
    const { client: old, server: far } = first.proxy.last ?? {};
    for (const socket of [old, far]) socket?.pause();
    const requests = Array.from({ length: 1_000 }, () => outcome(client.send('echo', 'x'.repeat(16_000))));
    const waiting = Promise.all([emit(client, 'a'), ...requests]);
    const renewed = until(client, 'renewed');
    beforeRenewal();
    keys.use(newKey());
    await renewed;
    return { client, old, waiting };
  }

  it('is handled before one that was emitted after the renewal of that connection', async () => {
    const keys = new LiveKeys(newKey());
    const first = await start({ keyring: keys });
    const { client, old, waiting } = await stall(first, [], keys);
    const next = emit(client, 'b');
    await client.ping();
    old?.resetAndDestroy();
    await Promise.all([waiting, next]);
    expect(first.events).toEqual(['a', 'b']);
  });

  it('moves before the next one when the server drains', async () => {
    const keys = new LiveKeys(newKey());
    const [first, second] = await startTwo({ keyring: keys });
    const { client, old, waiting } = await stall(first, [second], keys);
    await letIn(second, client);
    const next = emit(client, 'b');
    const closed = first.server.close();
    await next;
    old?.resetAndDestroy();
    await Promise.all([waiting, closed]);
    expect(second.events).toEqual(['a', 'b']);
  });

  it('moves before the next one when another server answers at the address', async () => {
    const keys = new LiveKeys(newKey());
    const [first, second] = [await start({ keyring: keys }), await start({ keyring: keys })];
    const { client, old, waiting } = await stall(first, [], keys);
    const next = emit(client, 'b');
    first.proxy.target = portOf(second.server);
    first.proxy.last?.client.resetAndDestroy();
    await next;
    old?.resetAndDestroy();
    await waiting;
    expect(second.events).toEqual(['a', 'b']);
  });

  it('moves before the next one when another server answers the renewal', async () => {
    const keys = new LiveKeys(newKey());
    const [first, second] = [await start({ keyring: keys }), await start({ keyring: keys })];
    const { client, old, waiting } = await stall(first, [], keys, () => {
      first.proxy.target = portOf(second.server);
    });
    await emit(client, 'b');
    old?.resetAndDestroy();
    await waiting;
    expect(second.events).toEqual(['a', 'b']);
  });

  it('moves before the next one when the server can no longer be reached', async () => {
    const keys = new LiveKeys(newKey());
    const [first, second] = await startTwo({ keyring: keys });
    const { client, old, waiting } = await stall(first, [second], keys);
    await letIn(second, client);
    const next = emit(client, 'b');
    first.proxy.target = NO_SERVER;
    first.proxy.last?.client.resetAndDestroy();
    await next;
    old?.resetAndDestroy();
    await waiting;
    expect(second.events).toEqual(['a', 'b']);
  });
});

describe('an event that waits for a slot of a server', () => {
  it('moves before one that a listener emits as soon as the server drains', async () => {
    const places = await startTwo({ ...DRAINS_LONG, limits: { maxInFlight: 1 } });
    const [first, second] = places;
    const client = newClient(places);
    await client.connect();
    await takeSlot(client, first);
    await letIn(second, client);
    const waiting = emit(client, 'a');
    const draining = client.connectionEvents.pipe(
      filter(({ type }) => type === 'draining'),
      take(1),
    );
    const late = firstValueFrom(draining.pipe(switchMap(() => client.emit('noted', 'b'))), { defaultValue: 'b' });
    const closed = first.server.close();
    await Promise.all([waiting, late]);
    expect(second.events).toEqual(['a', 'b']);
    release.next('end');
    await closed;
  });

  it('moves after the sent ones if the server turns the client away', async () => {
    const places = await startTwo({ limits: { maxInFlight: 1, maxConnections: 1 } });
    const [first, second] = places;
    const other = newClient([first]);
    await other.connect();
    first.proxy.alter = (chunk, _offset, direction) => {
      if (direction === 's2c') first.proxy.last?.server.pause(); // after message 2
      return chunk;
    };
    const client = newClient(places);
    await client.connect();
    const events = ['a', 'b', 'c'].map((event) => emit(client, event));
    await letIn(second, client);
    first.proxy.last?.server.resume();
    await Promise.all(events);
    expect(second.events).toEqual(['a', 'b', 'c']);
  });

  it('moves as soon as the address of the server has vanished', async () => {
    const first = await start({ host: '127.0.0.1', limits: { maxInFlight: 1 } });
    const port = portOf(first.server);
    const second = await start({ host: '127.0.0.2', port });
    const { lookup } = resolver;
    onTestFinished(() => void (resolver.lookup = lookup));
    resolver.lookup = () => Promise.resolve(['127.0.0.1']);
    const client = new SealwireClient({ host: 'server', port, keyring, ...patient({ timeouts: { resolveMs: 20 } }) });
    endLater(client);
    await client.connect();
    await takeSlot(client, first);
    const waiting = emit(client, 'a');
    const [socket] = [client.unwrap()];
    const draining = until(client, 'draining');
    resolver.lookup = () => Promise.resolve(['127.0.0.2']);
    await draining;
    await emit(client, 'b');
    socket.destroy();
    await waiting;
    expect(second.events).toEqual(['a', 'b']);
  });
});
