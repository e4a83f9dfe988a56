// `listen()` and `close()` in every order: what is closed does not listen, whatever was under way.
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { SealwireServer } from '@sealwire/transport';
import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LegacyBench } from '../support/legacy.js';
import { endAll, endLater, keyring, newClient, portOf, startServer } from '../support/pair.js';
import type { LegacyServer } from '../../libs/transport/src/legacy/index.js';

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => Promise.all([endAll(), bench.end()]));

type AnyServer = SealwireServer | LegacyServer;

function listen(server: AnyServer): Promise<unknown> {
  return new Promise((resolve) => server.listen(resolve));
}

function addressOf(server: AnyServer): AddressInfo {
  return server.unwrap().address() as AddressInfo;
}

function isOpen({ port }: AddressInfo): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function newSealwire(): SealwireServer {
  const server = new SealwireServer({ port: 0, keyring, timeouts: { drainMs: 200 } });
  endLater(server);
  return server;
}

function newLegacy(): LegacyServer {
  const server = bench.newServer();
  server.addHandler('message', () => Promise.resolve());
  return server;
}

const failed = (message: string): unknown =>
  expect.objectContaining({ code: 'ERR_LISTEN_FAILED', message: expect.stringContaining(message) as string });
const notConnected = expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }) as Error;

describe.each([
  ['SealwireServer', newSealwire],
  ['LegacyServer', newLegacy],
])('%s', (_name, create: () => AnyServer) => {
  it.each([0, 1, 2, 3, 4, 8, 16])('does not listen when it is closed %d turns after listen()', async (turns) => {
    const server = create();
    const listening = listen(server);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await server.close();
    expect(await listening).toEqual(failed('closed while it was starting'));
    expect(() => server.unwrap()).toThrow(notConnected);
    await expect.poll(() => process.getActiveResourcesInfo()).not.toContain('TCPServerWrap');
  });

  it('refuses a second listen(), and keeps listening', async () => {
    const server = create();
    expect(await listen(server)).toBeUndefined();
    const address = addressOf(server);
    expect(await listen(server)).toEqual(failed('already listening'));
    expect(addressOf(server)).toEqual(address);
    await server.close();
    expect(await isOpen(address)).toBe(false);
  });

  it('refuses a second listen() while the first one starts', async () => {
    const server = create();
    const [first, second] = await Promise.all([listen(server), listen(server)]);
    expect([first, second]).toEqual([undefined, failed('already listening')]);
  });

  it('listens again after close(), and after a close() during its start', async () => {
    const server = create();
    const first = listen(server);
    await server.close();
    expect(await listen(server)).toBeUndefined();
    expect(await first).toEqual(failed('closed while it was starting'));
    await server.close();
    expect(await listen(server)).toBeUndefined();
    expect(await isOpen(addressOf(server))).toBe(true);
  });

  it('stays connected when the previous listener ends late', async () => {
    const server = create();
    const statuses: string[] = [];
    server.status.subscribe((status) => statuses.push(status));
    await listen(server);
    const former = server.unwrap();
    const closing = server.close();
    await listen(server);
    await closing;
    expect(former.listening).toBe(false);
    expect(statuses.at(-1)).toBe('connected');
  });
});

it.each(['server', 'client'] as const)('resolves a second close() of a %s after the first one', async (which) => {
  let finish = (): void => undefined;
  const server = await startServer({ timeouts: { drainMs: 10_000 } });
  const begun = new Promise<void>((resolve) => {
    server.addHandler('slow', () => {
      resolve();
      return new Promise<string>((end) => (finish = () => end('done')));
    });
  });
  const client = newClient(portOf(server), { timeouts: { drainMs: 10_000 } });
  const answer = firstValueFrom(client.send('slow', 1));
  await begun;
  const closed: number[] = [];
  const closing = [1, 2, 3].map((nth) => (which === 'server' ? server : client).close().then(() => closed.push(nth)));
  for (let turn = 0; turn < 10; turn++) await nextTurn(); // whatever resolves immediately has done so by then
  expect(closed).toEqual([]);
  finish();
  await Promise.all(closing);
  expect(await answer).toBe('done');
});

it('has no listener to unwrap after listen() failed', async () => {
  const server = newSealwire();
  await listen(server);
  const second = new SealwireServer({ port: addressOf(server).port, keyring });
  expect(await listen(second)).toEqual(failed('EADDRINUSE'));
  expect(() => second.unwrap()).toThrow(notConnected);
});
