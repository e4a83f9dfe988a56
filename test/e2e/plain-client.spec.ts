import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { ChannelClient } from '@sealwire/channel';
import type { TransportError } from '@sealwire/channel';
import { of, interval, map } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { endAll, keyring, portOf, startServer } from '../support/pair.js';
import { channelClient, echo, startChannelServer, startPlainServer, text, watchWarnings } from '../support/plain.js';

afterEach(endAll);

const NOTHING = Buffer.of();

/** Accepts connections, and never says a word. */
async function silentPort(): Promise<number> {
  const server: Server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a client without Nest', () => {
  it.each([-1, 2 ** 32 + 5, 1.5, '100', NaN])(
    'rejects a timeout of %s, and leaves other calls alone',
    async (timeoutMs) => {
      const client = channelClient(await startChannelServer(echo));
      const bystander = client.request('echo', Buffer.from('1'));
      const request = client.request('echo', NOTHING, { timeoutMs: timeoutMs as number });
      await expect(request).rejects.toMatchObject({ code: 'ERR_BAD_OPTION' });
      expect(text(await bystander)).toBe('1');
    },
  );

  it('rejects a body that is not a Uint8Array instead of cutting it to bytes', async () => {
    const client = channelClient(await startChannelServer(echo));
    for (const body of ['text', Uint16Array.of(500), [1], undefined])
      await expect(client.request('echo', body as unknown as Uint8Array)).rejects.toMatchObject({
        code: 'ERR_MESSAGE_UNSERIALIZABLE',
        sent: false,
      });
  });

  it('counts the wait for a connection to the timeout of a request', async () => {
    const client = channelClient(await silentPort(), { timeouts: { connectMs: 20_000, drainMs: 1 } });
    await expect(client.request('p', NOTHING, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: false,
    });
  });

  it.each([
    ['messages', { maxQueuedMessages: 2 }, 10],
    ['bytes', { maxQueuedBytes: 65_536 }, 30_000],
  ])('refuses calls while too many %s wait for a connection', async (_, limits, bytes) => {
    const client = channelClient(await silentPort(), { limits, timeouts: { connectMs: 20_000, drainMs: 1 } });
    const waiting = Promise.allSettled([
      client.emit('e', Buffer.alloc(bytes)),
      client.request('p', Buffer.alloc(bytes)),
    ]);
    await expect(client.emit('e', Buffer.alloc(bytes))).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    await client.close();
    for (const { reason } of (await waiting) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
  });

  it('fails an event at its timeout while it waits for a connection', async () => {
    const client = channelClient(1, { timeouts: { waitForConnectionMs: 60_000 } });
    const event = client.emit('e', NOTHING, { timeoutMs: 50 });
    await expect(event).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: false });
    await expect(client.emit('e', NOTHING, { timeoutMs: -1 })).rejects.toMatchObject({ code: 'ERR_BAD_OPTION' });
  });

  it('starts calls in the order in which they came while it connects', async () => {
    const seen: string[] = [];
    const port = await startChannelServer(({ pattern, body }) => {
      seen.push(pattern);
      return body;
    });
    const client = channelClient(port);
    await Promise.all(['1', '2', '3'].map((pattern) => client.request(pattern, NOTHING)));
    expect(seen).toEqual(['1', '2', '3']);
  });

  it('sends the events that wait for a connection before it closes', async () => {
    const seen: string[] = [];
    const port = await startChannelServer(({ pattern, body }) => {
      seen.push(pattern);
      return body;
    });
    const client = channelClient(port, { timeouts: { drainMs: 20_000 } });
    const events = ['1', '2'].map((pattern) => client.emit(pattern, NOTHING));
    await client.close();
    await Promise.all(events);
    expect(seen).toEqual(['1', '2']);
  });

  it('does not wait for an answer that never ends when it closes', async () => {
    const server = await startServer();
    server.addHandler('endless', () => Promise.resolve(interval(5).pipe(map(() => Buffer.from('v')))));
    const client = channelClient(portOf(server), { timeouts: { drainMs: 2_000_000 } });
    const request = client.request('endless', NOTHING);
    const ended = Promise.allSettled([request]);
    await client.request('echo', Buffer.from('the stream before it has begun'));
    await client.close();
    expect(await ended).toMatchObject([{ reason: { code: 'ERR_CLIENT_CLOSED', sent: true } }]);
  });

  it('is refused by rejectSelf also after it was closed and is used again', async () => {
    const refused: string[] = [];
    const onRefused = ({ error }: { readonly error: TransportError }): void => void refused.push(error.code);
    const { port } = await startPlainServer(echo, { rejectSelf: true }, { onRefused });
    const client = channelClient(port);
    for (let round = 0; round < 2; round++) {
      await expect(client.request('echo', NOTHING)).rejects.toMatchObject({ sent: true });
      await client.close();
    }
    expect(refused).toEqual(['ERR_SELF_CONNECTION', 'ERR_SELF_CONNECTION']);
  });

  it('connects and closes although onConnectionEvent throws, and reports it', async () => {
    const warnings = watchWarnings();
    const fail = (): never => {
      throw new Error('own');
    };
    const client = channelClient(await startChannelServer(echo), {}, { onConnectionEvent: fail });
    expect(text(await client.request('echo', Buffer.from('1')))).toBe('1');
    await client.close();
    expect(new Set(warnings)).toEqual(new Set(['The callback onConnectionEvent() failed']));
  });

  it('shows the text with which Nest answers a pattern that has no handler', async () => {
    const client = channelClient(portOf(await startServer()));
    await expect(client.request('nobody', NOTHING)).rejects.toThrow(
      'There is no matching message handler defined in the remote service.',
    );
  });

  it('resolves to the last value of an answer', async () => {
    const server = await startServer();
    server.addHandler('several', () => Promise.resolve(of(Buffer.from('1'), Buffer.from('2'))));
    expect(text(await channelClient(portOf(server)).request('several', NOTHING))).toBe('2');
  });

  it.each([
    ['an unknown callback', [{ keyring }, { connectionEvent: echo }], 'connectionEvent is not an option'],
    ['a redial that is a text', [{ keyring, redial: 'yes' }], 'redial is of type string'],
    ['an unknown option', [{ keyring, requestTimeoutMs: 5 }], 'requestTimeoutMs is not an option'],
  ])('is not created with %s', (_, given, message) => {
    expect(() => Reflect.construct(ChannelClient, given)).toThrow(message);
  });

  it('rejects an option of a request that it does not have', async () => {
    const client = channelClient((await startPlainServer(echo)).port);
    const options = { timeout: 5 } as object;
    await expect(client.request('echo', NOTHING, options)).rejects.toMatchObject({ code: 'ERR_BAD_OPTION' });
  });
});
