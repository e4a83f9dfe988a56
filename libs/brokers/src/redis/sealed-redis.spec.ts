import { Logger } from '@nestjs/common';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { EnvelopeOpener, EnvelopeSealer } from '@sealwire/envelope';
import type { ReplayStore } from '@sealwire/envelope';
import { firstValueFrom, from, lastValueFrom, of, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { FakeRedis } from '../../../../test/support/fake-redis.js';
import type { RedisMessage } from '../../../../test/support/fake-redis.js';
import { decodeInner, encodeInner } from '../seal/inner-message.js';
import type { RefusalReason } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedRedisClient } from './sealed-redis-client.js';
import { SealedRedisServer } from './sealed-redis-server.js';
import type { SealedRedisContext } from './sealed-redis-server.js';

const CHANNEL = 'orders.sum';
const ANSWERS = 'orders.sum.reply';
const key = SecretKey.fromBytes(generateKey());
const secondKey = SecretKey.fromBytes(generateKey());
const keyring = Keyring.of(key, secondKey);
const seal = { keyring, service: 'orders' };

let redis: FakeRedis;

beforeEach(() => {
  redis = FakeRedis.install();
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});

afterEach(() => void vi.restoreAllMocks());

/** A server with a handler that adds numbers; `handled` has what it has got. */
async function startServer(options: Partial<SealOptions> = {}) {
  const server = new SealedRedisServer({ seal: { ...seal, ...options } });
  const handled: unknown[] = [];
  server.addHandler(CHANNEL, (numbers: number[], context: SealedRedisContext) => {
    handled.push(numbers);
    const sum = numbers.reduce((total, number) => total + number, 0);
    return Promise.resolve(of({ sum, keyId: context.getPeer?.().keyId }));
  });
  server.addHandler('orders.count', (last: number) =>
    Promise.resolve(from(Array.from({ length: last }, (_, index) => index + 1))),
  );
  server.addHandler('orders.echo', (text: string) => Promise.resolve(of(text.repeat(1_000_000))));
  await new Promise<void>((resolve, reject) => {
    void server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return { server, handled };
}

function createClient(options: Partial<SealOptions> = {}): SealedRedisClient {
  return new SealedRedisClient({ seal: { ...seal, ...options } });
}

/** Resolves with an event for the channel of the handler, which nothing has delivered. */
async function captureEvent(options: Partial<SealOptions> = {}): Promise<RedisMessage> {
  redis.pass = () => undefined;
  await lastValueFrom(createClient(options).emit(CHANNEL, [1, 2]), { defaultValue: undefined });
  const message = redis.published.at(-1) ?? expect.fail();
  redis.pass = (other) => redis.deliver(other);
  return message;
}

/** Keeps back the messages of the answers, for a test to deliver. */
function holdAnswers(): RedisMessage[] {
  const held: RedisMessage[] = [];
  redis.pass = (message) => (message.channel.endsWith('.reply') ? held.push(message) : redis.deliver(message));
  return held;
}

function outcome(answer: Observable<unknown>): Promise<unknown> {
  return firstValueFrom(answer).catch((error: unknown) => error);
}

/** Resolves after all that waits for promises, and for a turn of the event loop. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('A sealed Redis server', () => {
  it('answers a sealed request, and gives the handler its sender', async () => {
    const { server } = await startServer();
    expect(await outcome(createClient().send(CHANNEL, [1, 2]))).toEqual({ sum: 3, keyId: key.id });
    expect(redis.published.map(({ channel }) => channel)).toEqual([CHANNEL, ANSWERS]);
    for (const { data } of redis.published) expect(data).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    await server.close();
  });

  it.each<[RefusalReason, string, (event: RedisMessage) => RedisMessage]>([
    ['form', 'garbage', (event) => ({ ...event, data: '\0\uFFFD{' })],
    ['form', 'empty', (event) => ({ ...event, data: '' })],
    ['form', 'plain', (event) => ({ ...event, data: JSON.stringify({ pattern: CHANNEL, data: [1, 2] }) })],
    ['tag', 'altered', (event) => ({ ...event, data: altered(event.data) })],
    ['subject', 'moved to another channel', (event) => ({ ...event, channel: 'orders.count' })],
  ])('refuses (%s) a message that is %s', async (reason, _, change) => {
    const { server, handled } = await startServer();
    redis.deliver(change(await captureEvent()));
    await settled();
    expect(handled).toEqual([]);
    expect(server.refusals[reason]).toBe(1);
    expect(await outcome(createClient().send(CHANNEL, [1]))).toMatchObject({ sum: 1 });
  });

  it('refuses (replay) a message that comes again', async () => {
    const { server, handled } = await startServer();
    const event = await captureEvent();
    redis.deliver(event);
    redis.deliver(event);
    await settled();
    expect(handled).toEqual([[1, 2]]);
    expect(server.refusals.replay).toBe(1);
  });

  it('refuses (age) a message that was delayed', async () => {
    const clock = FakeClock.install();
    const { server, handled } = await startServer({ maxAgeMs: 5000 });
    const event = await captureEvent();
    clock.advance(7000);
    redis.deliver(event);
    await settled();
    expect(handled).toEqual([]);
    expect(server.refusals.age).toBe(1);
  });

  it('refuses (key, audience) a message with another key, or for another service', async () => {
    const { server, handled } = await startServer();
    const stranger = Keyring.of(SecretKey.fromBytes(generateKey()));
    redis.deliver(await captureEvent({ keyring: stranger }));
    redis.deliver(await captureEvent({ service: 'invoices' }));
    await settled();
    expect(handled).toEqual([]);
    expect(server.refusals).toMatchObject({ key: 1, audience: 1 });
  });

  it('refuses (forbidden) what the patterns of the key do not cover, before the handler runs', async () => {
    const bytes = generateKey();
    const restricted = Keyring.of(SecretKey.fromBytes(bytes, 'The key', { patterns: ['invoices.*'] }));
    const { server, handled } = await startServer({ keyring: restricted });
    const client = createClient({ keyring: Keyring.of(SecretKey.fromBytes(bytes)) });
    expect(await outcome(client.send(CHANNEL, [1]))).toMatchObject({ code: 'ERR_FORBIDDEN' });
    await lastValueFrom(client.emit(CHANNEL, [1]), { defaultValue: undefined });
    await settled();
    expect(handled).toEqual([]);
    expect(server.refusals.forbidden).toBe(2);
  });

  it('asks a replay store, and runs no handler for what is claimed, or if the store fails', async () => {
    const claim = vi.fn<ReplayStore['claim']>().mockResolvedValueOnce(true).mockResolvedValueOnce(false);
    const { server, handled } = await startServer({ replayStore: { claim } });
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const client = createClient();
    expect(await outcome(client.send(CHANNEL, [1]))).toMatchObject({ sum: 1 });
    await lastValueFrom(client.emit(CHANNEL, [2]), { defaultValue: undefined });
    claim.mockRejectedValue(new Error('The store is down'));
    expect(await outcome(client.send(CHANNEL, [3]))).toMatchObject({ code: 'ERR_REPLAY_STORE' });
    expect(handled).toEqual([[1]]);
    expect(server.refusals).toMatchObject({ replay: 1, store: 1 });
    expect(logged).toHaveBeenCalledOnce();
  });

  it('sends an error in place of a value that is too large', async () => {
    await startServer();
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    expect(await outcome(createClient().send('orders.echo', 'fourteen bytes'))).toMatchObject({
      code: 'ERR_MESSAGE_TOO_LARGE',
    });
  });

  it('serves plain and sealed messages in the mode open-only', async () => {
    const { handled } = await startServer({ mode: 'open-only' });
    expect(await outcome(createClient({ mode: 'open-only' }).send(CHANNEL, [1]))).toEqual({ sum: 1 });
    expect(redis.published[0]?.data).toContain('"data":[1]');
    expect(await outcome(createClient().send(CHANNEL, [2]))).toMatchObject({ keyId: key.id });
    expect(handled).toEqual([[1], [2]]);
  });

  it('fails to listen if the key file is missing', async () => {
    const server = new SealedRedisServer({ seal: { keyFile: '/nowhere/aes_key.bin', service: 'orders' } });
    const failure = await new Promise((resolve) => void server.listen(resolve));
    expect(failure).toMatchObject({ code: expect.stringMatching(/^ERR_KEY/) as string });
  });
});

describe('A sealed Redis client', () => {
  it.each<[RefusalReason, string, (answer: RedisMessage) => RedisMessage]>([
    ['form', 'garbage', (answer) => ({ ...answer, data: '\0\uFFFD{' })],
    ['form', 'empty', (answer) => ({ ...answer, data: '' })],
    ['form', 'plain', (answer) => ({ ...answer, data: '{"response":1,"isDisposed":true}' })],
    ['tag', 'altered', (answer) => ({ ...answer, data: altered(answer.data) })],
  ])('refuses (%s) an answer that is %s', async (reason, _, change) => {
    await startServer();
    const held = holdAnswers();
    const client = createClient();
    const answer = outcome(client.send(CHANNEL, [1, 2]));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    for (const message of held) redis.deliver(change(message));
    for (const message of held) redis.deliver(message);
    expect(await answer).toMatchObject({ sum: 3 });
    expect(client.refusals[reason]).toBe(1);
  });

  it('refuses (subject) an answer to a request with another pattern', async () => {
    await startServer();
    const held = holdAnswers();
    const client = createClient();
    const sum = outcome(client.send(CHANNEL, [1, 2]));
    const count = outcome(client.send('orders.count', 1));
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const [first, second] = held.map(({ channel }) => channel);
    redis.deliver({ channel: second ?? '', data: held[0]?.data ?? '' });
    redis.deliver({ channel: first ?? '', data: held[1]?.data ?? '' });
    expect(client.refusals.subject).toBe(2);
    for (const message of held) redis.deliver(message);
    // The two messages were refused before the window: only the tag and the subject were compared.
    expect(await Promise.all([sum, count])).toEqual([{ sum: 3, keyId: key.id }, 1]);
  });

  it('takes the answer to its own request, whatever the order in which two callers get theirs', async () => {
    await startServer();
    const held = holdAnswers();
    const [one, two] = [createClient(), createClient()];
    const answers = [outcome(one.send(CHANNEL, [1])), outcome(one.send(CHANNEL, [2])), outcome(two.send(CHANNEL, [3]))];
    await vi.waitFor(() => expect(held).toHaveLength(3));
    for (const message of held.toReversed()) redis.deliver(message);
    const sums = [1, 2, 3].map((sum) => ({ sum, keyId: key.id }));
    expect(await Promise.all(answers)).toEqual(sums);
    expect(Object.values(one.refusals).every((count) => count === 0)).toBe(true); // answers to others are no refusals
  });

  it('fails a request if a value of its answer was lost', async () => {
    await startServer();
    const held = holdAnswers();
    const client = createClient();
    const answer = lastValueFrom(client.send('orders.count', 3).pipe(toArray())).catch((error: unknown) => error);
    await vi.waitFor(() => expect(held).toHaveLength(3));
    for (const message of [held[0], held[2], held[1]]) redis.deliver(message ?? expect.fail());
    expect(await answer).toMatchObject({ code: 'ERR_ANSWER_INCOMPLETE' });
    expect(client.refusals.order).toBe(1);
  });

  it('refuses (replay) a value that comes again', async () => {
    await startServer();
    redis.pass = (message) => [message, message].forEach((copy) => redis.deliver(copy));
    const client = createClient();
    expect(await lastValueFrom(client.send('orders.count', 3).pipe(toArray()))).toEqual([1, 2, 3]);
    expect(client.refusals.replay).toBeGreaterThan(0);
  });

  it('refuses (key) an answer with another key than that of its request', async () => {
    const client = createClient();
    let sent: RedisMessage | undefined;
    redis.pass = (message) => (sent = message);
    const answer = outcome(client.send(CHANNEL, [1]));
    await vi.waitFor(() => expect(sent).toBeDefined());
    const { head, payload } = openRequest(sent?.data ?? '');
    const { id } = JSON.parse(payload.toString()) as { id: string };
    const forge = (response: number, sealedWith: SecretKey): void => {
      const packet = Buffer.from(JSON.stringify({ id, response, isDisposed: true }));
      const inner = encodeInner({ request: head.request, answer: { id: 'any', number: 0 } }, packet);
      const sealer = new EnvelopeSealer({ keys: keyring, service: 'orders' });
      redis.deliver({ channel: ANSWERS, data: sealer.seal(`redis:${ANSWERS}`, inner, sealedWith) });
    };
    forge(1, secondKey);
    forge(2, key);
    expect(await answer).toBe(2);
    expect(client.refusals.key).toBe(1);
  });

  it('fails a request and an event that cannot be sealed', async () => {
    await startServer();
    const client = createClient({ keyring: Keyring.ofRing([{ key, state: 'accept' }]) });
    expect(await outcome(client.send(CHANNEL, [1]))).toMatchObject({ code: 'ERR_KEYRING_NO_PRIMARY' });
    const event = lastValueFrom(client.emit(CHANNEL, [1]));
    await expect(event).rejects.toMatchObject({ code: 'ERR_KEYRING_NO_PRIMARY' });
    expect(redis.published).toEqual([]);
  });
});

/** The same envelope with another tag. */
function altered(envelope: string): string {
  const at = envelope.lastIndexOf('.') + 1;
  return `${envelope.slice(0, at)}${envelope[at] === 'A' ? 'B' : 'A'}${envelope.slice(at + 1)}`;
}

function openRequest(envelope: string) {
  const opened = new EnvelopeOpener({ keys: keyring, service: 'orders' }).open(`redis:${CHANNEL}`, envelope);
  if (!opened.ok) throw new Error(opened.reason);
  return decodeInner(opened.plaintext) ?? expect.fail();
}
