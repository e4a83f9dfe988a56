import { AsyncLocalStorage } from 'node:async_hooks';

import { createChannelServer } from '@sealwire/channel';
import type { PlainAnswer } from '@sealwire/channel';
import { afterEach, describe, expect, it } from 'vitest';

import { endAll, keyring } from '../support/pair.js';
import {
  channelClient,
  echo,
  never,
  startChannelServer,
  startPlainServer,
  text,
  watchWarnings,
} from '../support/plain.js';

afterEach(endAll);

const NOTHING = Buffer.of();

describe('a server without Nest', () => {
  it('handles each message in an async context of its own', async () => {
    const user = new AsyncLocalStorage<string>();
    const answer: PlainAnswer = ({ pattern, body }) => {
      if (pattern === 'login') user.enterWith(text(body));
      return Buffer.from(String(user.getStore()));
    };
    const client = channelClient(await startChannelServer(answer));
    const login = client.request('login', Buffer.from('alice'));
    const seen = await Promise.all([login, client.request('whoami', NOTHING)]);
    expect([...seen, await client.request('whoami', NOTHING)].map(text)).toEqual(['alice', 'undefined', 'undefined']);
  });

  it('bounds the handlers of events that never end by what may be in flight', async () => {
    let running = 0;
    const answer: PlainAnswer = (request) => {
      running += 1;
      return never(request);
    };
    const limits = { maxInFlight: 4, maxQueuedMessages: 64 };
    const client = channelClient(await startChannelServer(answer, { limits }), { limits });
    const events = Array.from({ length: 16 }, () => client.emit('e', Buffer.of(1)));
    void Promise.allSettled(events);
    await expect.poll(() => running).toBe(4);
    // A request has to wait as well.
    await expect(client.request('late', NOTHING, { timeoutMs: 1_000 })).rejects.toMatchObject({ sent: false });
    expect(running).toBe(4);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'text'],
    ['an array of wider numbers', Uint16Array.of(1)],
  ])('answers that %s cannot be serialized, and reports it', async (_, answer) => {
    const warnings = watchWarnings();
    const client = channelClient(await startChannelServer((() => answer) as unknown as PlainAnswer));
    await expect(client.request('p', NOTHING)).rejects.toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
    expect(warnings).toEqual(['The answer callback of a channel server failed']);
  });

  it.each(['onOpened', 'onClosed', 'onStatusChanged'])(
    'serves and closes although %s throws, and reports it',
    async (name) => {
      const warnings = watchWarnings();
      const fail = (): never => {
        throw new Error('own');
      };
      const { server, port } = await startPlainServer(echo, {}, { [name]: fail });
      const client = channelClient(port);
      expect(text(await client.request('echo', Buffer.from('served')))).toBe('served');
      await client.close();
      await server.close();
      expect(new Set(warnings)).toEqual(new Set([`The callback ${name}() failed`]));
    },
  );

  it.each([
    ['no answer function', [{ port: 0, keyring }], 'answer is missing; it must be a function'],
    ['an unknown callback', [{ port: 0, keyring }, echo, { opened: echo }], 'opened is not an option'],
    ['a callback that is not a function', [{ port: 0, keyring }, echo, { onOpened: 5 }], 'onOpened is 5; it must be'],
    [
      'an option of Nest',
      [{ port: 0, keyring, limits: { maxRunning: 4 } }, echo],
      'limits.maxRunning is not an option',
    ],
  ])('is not created with %s', (_, given, message) => {
    const create = createChannelServer as (...all: unknown[]) => unknown;
    expect(() => create(...given)).toThrow(message);
  });
});
