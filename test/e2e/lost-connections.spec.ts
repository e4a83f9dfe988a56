// Events over connections that are lost while the processes of both ends live (docs/protocol.md §6.7).
import { randomBytes } from 'node:crypto';

import { SealwireRecordBuilder } from '@sealwire/transport';
import type { SealwireClient, SealwireClientOptions, SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { arrived, outcome } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { channelClient, startChannelServer, text } from '../support/plain.js';
import { TcpProxy } from '../support/tcp-proxy.js';

afterEach(endAll);

interface Ends {
  readonly server: SealwireServer;
  readonly client: SealwireClient;
  readonly proxy: TcpProxy;
  /** The values of the event `noted`, in the order in which the handler was called. */
  readonly noted: unknown[];
}

/** A client that reaches its server through a proxy. */
async function start(
  serverOptions: Partial<SealwireServerOptions> = {},
  clientOptions: Partial<SealwireClientOptions> = {},
): Promise<Ends> {
  const server = await startServer(serverOptions);
  const noted: unknown[] = [];
  server.addHandler('noted', (value: unknown) => Promise.resolve(void noted.push(value)), true);
  const proxy = await TcpProxy.to(portOf(server));
  onTestFinished(() => proxy.close());
  const client = newClient(proxy.port, { redial: { minMs: 1, maxMs: 20, inBackground: false }, ...clientOptions });
  return { server, client, proxy, noted };
}

/** From now on, what one side sends does not arrive, until {@link TcpProxy.reset} cuts the connection. */
function mute(proxy: TcpProxy, side: 'c2s' | 's2c'): void {
  proxy.alter = (chunk, _offset, direction) => (direction === side ? chunk.subarray(0, 0) : chunk);
}

describe('events over a network that cuts connections', () => {
  it('are all acknowledged: none of 1,000 is lost or doubled over 20 cuts, and all arrive in order', async () => {
    const { client, proxy, noted } = await start();
    await client.connect();
    const acknowledged: Promise<void>[] = [];
    const emit = (count: number): void => {
      for (let i = 0; i < count; i++) acknowledged.push(arrived(client.emit('noted', acknowledged.length)));
    };
    for (let cut = 1; cut <= 20; cut++) {
      emit(10);
      await client.ping();
      const isHandled = cut % 2 === 0;
      mute(proxy, isHandled ? 's2c' : 'c2s'); // their acknowledgements are lost, or the events
      const seenBytes = proxy.bytes('c2s').length;
      emit(30);
      if (isHandled) await expect.poll(() => noted.length).toBe(acknowledged.length);
      else await expect.poll(() => proxy.bytes('c2s').length).toBeGreaterThan(seenBytes);
      proxy.reset();
      emit(10);
      await expect.poll(() => client.snapshot().connected).toBe(cut + 1);
    }
    await Promise.all(acknowledged);
    expect(noted).toEqual(Array.from({ length: 1_000 }, (_, value) => value));
    expect(client.snapshot()).toMatchObject({ eventsFailed: 0, waiting: 0, inFlight: 0 });
  });

  it('fail with sent: true once another server answers at the address, because theirs is gone', async () => {
    const { client, proxy, noted } = await start();
    await client.connect();
    mute(proxy, 's2c');
    const emitted = outcome(client.emit('noted', 1));
    await expect.poll(() => noted).toEqual([1]);
    proxy.target = portOf(await startServer());
    proxy.reset();
    expect(await emitted).toMatchObject({ sent: true });
    expect(client.snapshot()).toMatchObject({ connected: 2, waiting: 0, eventsFailed: 1 });
  });

  it('count as waiting while there is no connection, and end with their own timeout', async () => {
    const { client, proxy, noted } = await start();
    await client.connect();
    mute(proxy, 's2c');
    const record = new SealwireRecordBuilder(1).setTimeoutMs(3_000).build();
    const emitted = outcome(client.emit('noted', record));
    await expect.poll(() => noted).toEqual([1]);
    proxy.target = 1; // nothing listens there
    proxy.reset();
    await expect.poll(() => client.snapshot()).toMatchObject({ state: 'connecting', inFlight: 0, waiting: 1 });
    expect(await emitted).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: true });
    expect(client.snapshot()).toMatchObject({ waiting: 0 });
  });

  it('are delivered by close() if the server can be reached again within drainMs', async () => {
    const { client, proxy, noted } = await start({}, { timeouts: { drainMs: 60_000 } });
    await client.connect();
    mute(proxy, 'c2s');
    const seenBytes = proxy.bytes('c2s').length;
    const emitted = arrived(client.emit('noted', 1));
    await expect.poll(() => proxy.bytes('c2s').length).toBeGreaterThan(seenBytes);
    const closed = client.close();
    proxy.reset();
    await Promise.all([emitted, closed]);
    expect(noted).toEqual([1]);
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0, eventsFailed: 0 });
  });

  it('are given up by close() after drainMs, and nothing dials after that', async () => {
    const { client, proxy, noted } = await start({}, { timeouts: { drainMs: 50 } });
    await client.connect();
    mute(proxy, 's2c');
    const emitted = outcome(client.emit('noted', 1));
    await expect.poll(() => noted).toEqual([1]);
    proxy.target = 1; // nothing listens there
    proxy.reset();
    await expect.poll(() => client.snapshot()).toMatchObject({ waiting: 1 });
    await client.close();
    expect(await emitted).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: true });
    expect(client.snapshot()).toMatchObject({ state: 'idle', connections: 0, waiting: 0 });
  });

  it.each([10, 20_000, 300_000])('of %i bytes arrive unchanged when they are sent again', async (bytes) => {
    const { client, proxy, noted } = await start();
    await client.connect();
    const data = randomBytes(bytes);
    mute(proxy, 'c2s');
    const seenBytes = proxy.bytes('c2s').length;
    const emitted = arrived(client.emit('noted', data));
    await expect.poll(() => proxy.bytes('c2s').length).toBeGreaterThan(seenBytes);
    proxy.reset();
    await emitted;
    expect(noted.map((value) => (value as Buffer).toString('hex'))).toEqual([data.toString('hex')]);
  });

  it('have as many attempts as connections are lost, also with a client without Nest', async () => {
    const bodies: string[] = [];
    const port = await startChannelServer(({ body }) => {
      bodies.push(text(body));
      return Buffer.alloc(0);
    });
    const proxy = await TcpProxy.to(port);
    onTestFinished(() => proxy.close());
    const client = channelClient(proxy.port, { redial: { minMs: 1, maxMs: 20, inBackground: false } });
    await client.emit('noted', Buffer.from('first'));
    mute(proxy, 's2c');
    const emitted = client.emit('noted', Buffer.from('second'));
    for (let cut = 0; cut < 3; cut++) {
      await expect.poll(() => bodies).toEqual(['first', 'second']);
      const connection = proxy.last;
      proxy.reset();
      if (cut < 2) mute(proxy, 's2c');
      await expect.poll(() => proxy.last === connection).toBe(false);
    }
    await emitted;
    expect(bodies).toEqual(['first', 'second']);
  });
});
