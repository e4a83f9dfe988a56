import { ChannelClient, createChannelServer } from '@sealwire/channel';
import type { PlainRequest } from '@sealwire/channel';
import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { endAll, keyring, newClient, newKeyring, portOf, startServer } from '../support/pair.js';
import { channelClient, echo, startChannelServer, text } from '../support/plain.js';

afterEach(endAll);

describe('a channel without Nest', () => {
  it('answers requests of every size with bytes, many of them concurrently', async () => {
    const client = channelClient(await startChannelServer(echo));
    const bodies = [0, 1, 65_536, 300_000].map((size) => Buffer.alloc(size, 'x'));
    const answers = await Promise.all(bodies.map((body) => client.request('echo', body)));
    expect(answers.map(({ length }) => length)).toEqual([0, 1, 65_536, 300_000]);
    expect(answers.every((answer, index) => bodies[index]?.equals(answer))).toBe(true);
  });

  it('gives the handler pattern, peer and body, and the client the error of a handler as "Internal server error"', async () => {
    const seen: PlainRequest[] = [];
    const client = channelClient(
      await startChannelServer((request) => {
        seen.push(request);
        throw new Error('secret');
      }),
    );
    await expect(client.request('pättern', Buffer.from('1'))).rejects.toThrow(/^Internal server error$/);
    expect(seen).toMatchObject([{ kind: 'REQUEST', pattern: 'pättern', peer: { keyId: keyring.primary.id } }]);
  });

  it('resolves an event when its handler was called, once, whatever that returns', async () => {
    const events: string[] = [];
    const port = await startChannelServer(({ kind, body }) => {
      events.push(`${kind} ${text(body)}`);
      return Promise.reject(new Error('no matter'));
    });
    await channelClient(port).emit('noted', Buffer.from('rain'));
    expect(events).toEqual(['EVENT rain']);
  });

  it('fails a request at its timeout at both ends, and fires the signal of its handler', async () => {
    const signals: AbortSignal[] = [];
    const port = await startChannelServer(({ signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    const request = channelClient(port).request('slow', Buffer.of(1), { timeoutMs: 1_000 });
    await expect(request).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: true });
    await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('fires the signal of a handler if its client leaves', async () => {
    const signals: AbortSignal[] = [];
    const port = await startChannelServer(({ signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    const client = channelClient(port, { timeouts: { drainMs: 1 } });
    const request = client.request('slow', Buffer.of(1));
    await expect.poll(() => signals.length).toBe(1);
    const [failed] = await Promise.allSettled([request, client.close()]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { sent: true } });
    await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('rejects an answer that is larger than the client accepts', async () => {
    const client = channelClient(await startChannelServer(() => Buffer.alloc(70_000)), {
      limits: { maxMessageBytes: 65_536 },
    });
    await expect(client.request('large', Buffer.of())).rejects.toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
  });

  it('refuses a client with another key', async () => {
    const port = await startChannelServer(echo);
    const stranger = channelClient(port, { keyring: newKeyring() });
    await expect(stranger.request('echo', Buffer.of(1))).rejects.toMatchObject({ code: 'ERR_ALERT', sent: false });
  });

  it('rejects options that are wrong', () => {
    expect(() => new ChannelClient({ port: 70_000, keyring })).toThrow(/port is 70000; it must be/);
    expect(() => createChannelServer({ port: 0 }, echo)).toThrow(/Exactly one of keyFile and keyring/);
  });

  it('calls Nest handlers, and accepts calls of Nest clients, with bytes', async () => {
    const server = await startServer();
    const answer = await channelClient(portOf(server)).request('echo', Buffer.from('to Nest'));
    expect(text(answer)).toBe('to Nest');
    const nest = newClient(await startChannelServer(({ pattern, body }) => Buffer.from(`${pattern} ${text(body)}`)));
    expect(text(await lastValueFrom(nest.send<Buffer>('plain', Buffer.from('from Nest'))))).toBe('plain from Nest');
    await expect(lastValueFrom(nest.send('plain', { json: true }))).rejects.toMatchObject({
      code: 'ERR_MESSAGE_MALFORMED',
    });
  });
});
