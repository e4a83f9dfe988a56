import { Logger } from '@nestjs/common';
import { ClientKafka, KafkaRetriableException } from '@nestjs/microservices';
import type { MessageHandler } from '@nestjs/microservices';
import { Keyring } from '@sealwire/crypto';
import { firstValueFrom, lastValueFrom, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { FakeKafka } from '../../../../test/support/fake-kafka.js';
import type { SentMessage } from '../../../../test/support/fake-kafka.js';
import { newKey } from '../../../../test/support/live-keys.js';
import type { RefusalReason } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedKafkaClient } from './sealed-kafka-client.js';
import { SealedKafkaServer } from './sealed-kafka-server.js';
import type { SealedKafkaContext } from './sealed-kafka-server.js';

const REQUESTS = 'orders.sum';
const EVENTS = 'orders.created';
const ENVELOPE = /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const key = newKey({ label: 'clerk' });
const seal = { keyring: Keyring.of(key), service: 'orders' };

let kafka: FakeKafka;

beforeEach(() => {
  kafka = FakeKafka.install();
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});

afterEach(() => void vi.restoreAllMocks());

interface Handled {
  readonly data: unknown;
  readonly context: SealedKafkaContext;
}

interface StartOptions extends Partial<SealOptions> {
  readonly durableEvents?: boolean;
  /** Takes the place of the handler of events. */
  readonly onEvent?: () => Promise<unknown>;
}

/** A server that adds numbers; `handled` has what its handlers have got. */
async function startServer({
  durableEvents = false,
  onEvent = () => Promise.resolve(),
  ...options
}: StartOptions = {}) {
  const server = new SealedKafkaServer({ durableEvents, seal: { ...seal, ...options } });
  const handled: Handled[] = [];
  const sum: MessageHandler = (data: number[], context: SealedKafkaContext) => {
    handled.push({ data, context });
    return Promise.resolve(of({ sum: data.reduce((total, number) => total + number, 0) }));
  };
  const event: MessageHandler = (data: unknown, context: SealedKafkaContext) => {
    handled.push({ data, context });
    return onEvent();
  };
  server.addHandler(REQUESTS, sum);
  server.addHandler(EVENTS, event, true);
  await new Promise<void>((resolve, reject) => {
    void server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return { server, handled, dataOf: () => handled.map(({ data }) => data) };
}

function createClient(options: Partial<SealOptions> = {}): SealedKafkaClient {
  const client = new SealedKafkaClient({ seal: { ...seal, ...options } });
  client.subscribeToResponseOf(REQUESTS);
  return client;
}

function emit(data: unknown, topic = EVENTS, client = createClient()): Promise<unknown> {
  return lastValueFrom(client.emit(topic, data), { defaultValue: undefined });
}

/** Resolves with a message that nothing has delivered. */
async function captured(data: unknown, topic = EVENTS): Promise<SentMessage> {
  kafka.pass = () => Promise.resolve();
  await emit(data, topic);
  kafka.pass = (message) => kafka.deliver(message);
  return kafka.sent.at(-1) ?? expect.fail();
}

describe('A sealed Kafka server', () => {
  it('answers a sealed request, and the broker sees envelopes without headers', async () => {
    const { handled } = await startServer();
    expect(await firstValueFrom(createClient().send(REQUESTS, [1, 2]))).toEqual({ sum: 3 });
    expect(handled[0]?.context.getPeer()).toMatchObject({ keyId: key.id, label: 'clerk' });
    expect(kafka.sent.map(({ topic }) => topic)).toEqual([REQUESTS, `${REQUESTS}.reply`]);
    for (const { value, headers } of kafka.sent) {
      expect(value).toMatch(ENVELOPE);
      expect(headers).toEqual({});
    }
  });

  it('gives a handler the sealed key, headers and topic, whatever the broker has made of them', async () => {
    const { handled } = await startServer();
    const headers = { 'x-tenant': 'tenant 7', 'x-many': ['a', 'b'], 'x-bytes': Buffer.of(0, 255) };
    const message = await captured({ key: 'order 17', value: 'text', headers });
    expect(message).toMatchObject({ key: 'order 17', headers: {} });
    await kafka.deliver({ ...message, key: 'other', headers: { 'x-tenant': 'tenant 8', 'x-more': 'more' } });
    expect(handled[0]?.data).toBe('text');
    expect(handled[0]?.context.getTopic()).toBe(EVENTS);
    expect(handled[0]?.context.getMessage()).toMatchObject({ key: 'order 17', value: 'text' });
    // Nest makes one text of a list.
    expect(handled[0]?.context.getMessage().headers).toEqual({ ...headers, 'x-many': 'a,b' });
  });

  it('gives a handler a message without a value and a key as one', async () => {
    const { handled } = await startServer();
    await emit({ value: undefined });
    await emit('');
    expect(handled.map(({ context }) => context.getMessage().value)).toEqual([null, '']);
    expect(handled.map(({ context }) => context.getMessage().key)).toEqual([null, null]);
  });

  it.each<[RefusalReason, string, (event: SentMessage) => SentMessage]>([
    ['form', 'garbage', (event) => ({ ...event, value: '\0\uFFFD{' })],
    ['form', 'empty', (event) => ({ ...event, value: '' })],
    ['form', 'without a value', (event) => ({ ...event, value: null })],
    ['form', 'plain', (event) => ({ ...event, value: '[1,2]' })],
    ['tag', 'altered', (event) => ({ ...event, value: altered(String(event.value)) })],
    ['subject', 'moved to another topic', (event) => ({ ...event, topic: REQUESTS })],
  ])('refuses (%s) a message that is %s, and takes the next one', async (reason, _, change) => {
    const { server, dataOf } = await startServer();
    await kafka.deliver(change(await captured('first')));
    await emit('honest');
    expect(dataOf()).toEqual(['honest']);
    expect(kafka.failures).toEqual([]);
    expect(server.refusals[reason]).toBe(1);
  });

  it('refuses (replay, age) a message that comes again or late', async () => {
    const clock = FakeClock.install();
    const { server, dataOf } = await startServer({ maxAgeMs: 5000 });
    const [event, late] = [await captured('event'), await captured('late')];
    await kafka.deliver(event);
    await kafka.deliver(event);
    clock.advance(7000);
    await kafka.deliver(late);
    expect(dataOf()).toEqual(['event']);
    expect(server.refusals).toMatchObject({ replay: 1, age: 1 });
  });

  it('handles an event again whose handler has failed, and refuses (replay) a copy of it', async () => {
    let attempts = 0;
    const failure = new Error('The database is away');
    const onEvent = () => ((attempts += 1) < 3 ? Promise.reject(failure) : Promise.resolve());
    const { server, dataOf } = await startServer({ onEvent });
    await emit('event');
    expect(kafka.failures).toEqual([failure, failure]);
    expect(dataOf()).toEqual(['event', 'event', 'event']);
    await kafka.deliver(kafka.sent[0] ?? expect.fail());
    expect(dataOf()).toHaveLength(3);
    expect(server.refusals.replay).toBe(1);
  });

  it('refuses (replay) a copy of an event whose handler has failed, at another offset', async () => {
    const { server, dataOf } = await startServer({ onEvent: () => Promise.reject(new Error('The handler fails')) });
    const event = await captured('event');
    await kafka.deliver(event);
    const { length } = dataOf();
    await kafka.deliver(event);
    expect(dataOf()).toHaveLength(length);
    expect(server.refusals.replay).toBe(1);
  });

  it('answers a request that is handled again after a KafkaRetriableException', async () => {
    const { server } = await startServer();
    let attempts = 0;
    const handler = () => {
      attempts += 1;
      return attempts === 1 ? throwError(() => new KafkaRetriableException('Later')) : of('done');
    };
    server.addHandler(REQUESTS, () => Promise.resolve(handler()));
    expect(await firstValueFrom(createClient().send(REQUESTS, [1]))).toBe('done');
    expect(kafka.failures).toHaveLength(1);
  });

  it('accepts events late and again with durableEvents, but no requests', async () => {
    const clock = FakeClock.install();
    const { server, dataOf } = await startServer({ durableEvents: true, maxAgeMs: 5000 });
    const [event, request] = [await captured('event'), await captured([1], REQUESTS)];
    clock.advance(7_000_000);
    for (const message of [event, event, request]) await kafka.deliver(message);
    expect(dataOf()).toEqual(['event', 'event']);
    expect(server.refusals).toMatchObject({ age: 1, replay: 0 });
  });

  it('accepts no request late that comes as a durable event', async () => {
    const { server, dataOf } = await startServer({ durableEvents: true, bind: 'none' });
    await kafka.deliver({ ...(await captured([1], REQUESTS)), topic: EVENTS });
    expect(dataOf()).toEqual([]);
    expect(server.refusals.subject).toBe(1);
  });

  it('handles a message that the broker has renamed, under its sealed topic, with bind none', async () => {
    const { handled } = await startServer({ bind: 'none' });
    await kafka.deliver({ ...(await captured([1, 2], REQUESTS)), topic: EVENTS });
    expect(handled[0]?.context.getTopic()).toBe(REQUESTS);
  });

  it('drops an event that the patterns of the key do not cover, and takes the next one', async () => {
    const narrow = newKey({ patterns: [REQUESTS] });
    const { server, dataOf } = await startServer({ keyring: Keyring.of(narrow, key) });
    await emit('forbidden', EVENTS, createClient({ keyring: Keyring.of(narrow) }));
    await emit('honest');
    expect(dataOf()).toEqual(['honest']);
    expect(server.refusals.forbidden).toBe(1);
    expect(kafka.failures).toEqual([]);
  });

  it('drops an event (store) while the replay store fails', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const claim = () => Promise.reject(new Error('The store is away'));
    const { server, dataOf } = await startServer({ replayStore: { claim } });
    await emit('event');
    expect(dataOf()).toEqual([]);
    expect(server.refusals.store).toBe(1);
    expect(kafka.failures).toEqual([]);
  });

  it('seals what a handler sends with the producer of its context', async () => {
    const { handled, dataOf } = await startServer();
    await emit('first');
    await handled[0]?.context.getProducer().send({ topic: EVENTS, messages: [{ value: 'second' }] });
    await handled[0]?.context
      .getProducer()
      .sendBatch({ topicMessages: [{ topic: EVENTS, messages: [{ value: '3' }] }] });
    expect(dataOf()).toEqual(['first', 'second', '3']);
    for (const { value } of kafka.sent) expect(value).toMatch(ENVELOPE);
  });

  it('answers plain and sealed requests in the mode open-only', async () => {
    const { handled } = await startServer({ mode: 'open-only' });
    const plain = new ClientKafka({});
    plain.subscribeToResponseOf(REQUESTS);
    expect(await firstValueFrom(plain.send(REQUESTS, [1]))).toEqual({ sum: 1 });
    expect(kafka.sent.at(-1)?.value).toBe('{"sum":1}');
    expect(await firstValueFrom(createClient().send(REQUESTS, [2]))).toEqual({ sum: 2 });
    expect(kafka.sent.at(-1)?.value).toMatch(ENVELOPE);
    expect(handled[0]?.context).not.toHaveProperty('getPeer');
  });

  it('shows the broker trace headers only if the option traceparent is set', async () => {
    await startServer();
    const event = { value: 1, headers: { traceparent: TRACE, 'x-tenant': 'tenant 7' } };
    await emit({ ...event });
    await emit({ ...event }, EVENTS, createClient({ traceparent: true }));
    expect(kafka.sent.map(({ headers }) => headers)).toEqual([{}, { traceparent: TRACE }]);
  });

  it('rejects an option durableEvents that is not a boolean', () => {
    expect(() => new SealedKafkaServer({ seal, durableEvents: 'yes' as never })).toThrow(/durableEvents/);
  });
});

function altered(envelope: string): string {
  const at = envelope.lastIndexOf('.') + 1;
  return `${envelope.slice(0, at)}${envelope[at] === 'A' ? 'B' : 'A'}${envelope.slice(at + 1)}`;
}
