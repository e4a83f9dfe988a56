import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Logger } from '@nestjs/common';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { firstValueFrom, from, lastValueFrom, of, throwError, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { attachUntilFinished } from '../../../../test/support/attached-headers.js';
import { FakeKafka } from '../../../../test/support/fake-kafka.js';
import type { SentMessage } from '../../../../test/support/fake-kafka.js';
import type { BrokerCallMessage } from '../call-trace.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedKafkaClient } from './sealed-kafka-client.js';
import { SealedKafkaServer } from './sealed-kafka-server.js';

const ECHO = 'orders.echo';
const COUNT = 'orders.count';
const FAIL = 'orders.fail';
const LARGE = 'orders.large';
const NOTED = 'orders.noted';
const FAILURE = 'the price is 17';
const seal = { keyring: Keyring.of(SecretKey.fromBytes(generateKey())), service: 'orders' };

let kafka: FakeKafka;
let server: SealedKafkaServer;
let client: SealedKafkaClient;
let noted: unknown[];

beforeEach(async () => {
  kafka = FakeKafka.install();
  vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  noted = [];
  server = await startServer();
  client = createClient();
});

afterEach(async () => {
  await client.close();
  await server.close();
  vi.restoreAllMocks();
});

async function startServer(): Promise<SealedKafkaServer> {
  const strategy = new SealedKafkaServer({ seal });
  strategy.addHandler(ECHO, (data: unknown) => Promise.resolve(of(data)));
  strategy.addHandler(COUNT, () => Promise.resolve(from(['1', '2', '3'])));
  strategy.addHandler(FAIL, () => Promise.resolve(throwError(() => ({ message: FAILURE }))));
  strategy.addHandler(LARGE, () => Promise.resolve(of('x'.repeat(17_000_000))));
  strategy.addHandler(NOTED, (data: unknown) => Promise.resolve(noted.push(data)), true);
  await new Promise<void>((resolve, reject) => {
    void strategy.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return strategy;
}

function createClient(options: Partial<SealOptions> = {}): SealedKafkaClient {
  const created = new SealedKafkaClient({ seal: { ...seal, ...options } });
  for (const topic of [ECHO, COUNT, FAIL, LARGE]) created.subscribeToResponseOf(topic);
  return created;
}

const isAnswer = ({ topic }: SentMessage): boolean => topic.endsWith('.reply');

/** Keeps back the answers, for a test to deliver. */
function holdAnswers(): SentMessage[] {
  const held: SentMessage[] = [];
  kafka.pass = (message) => (isAnswer(message) ? Promise.resolve(void held.push(message)) : kafka.deliver(message));
  return held;
}

function outcome(answer: Observable<unknown>): Promise<unknown> {
  return lastValueFrom(answer.pipe(toArray())).catch((error: unknown) => error);
}

describe('A sealed Kafka client', () => {
  it('gets every value of an answer, in order', async () => {
    expect(await outcome(client.send(COUNT, 0))).toEqual(['1', '2', '3']);
  });

  it('gets the text of an error, which the broker does not', async () => {
    expect(await outcome(client.send(FAIL, 0))).toEqual({ message: FAILURE });
    const all = JSON.stringify(kafka.sent);
    expect(all).not.toContain('nest-err');
    expect(all).not.toContain(FAILURE);
  });

  it('publishes a request and an event on node:diagnostics_channel, with the lengths of their envelopes', async () => {
    const ended: BrokerCallMessage[] = [];
    const note = (message: unknown): void => void ended.push(message as BrokerCallMessage);
    subscribe('sealwire:broker:call:end', note);
    onTestFinished(() => void unsubscribe('sealwire:broker:call:end', note));
    await outcome(client.send(ECHO, 'own'));
    await outcome(client.emit(ECHO, 'own'));
    const ofClient = ended.filter(({ side }) => side === 'client');
    expect(ofClient).toMatchObject([
      { kind: 'request', pattern: ECHO },
      { kind: 'event', pattern: ECHO },
    ]);
    expect(Math.min(...ofClient.map(({ bytes }) => bytes))).toBeGreaterThan(0);
  });

  it('seals the headers that are attached to a call into each of its messages', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const received = attachUntilFinished({ traceparent });
    await outcome(client.send(ECHO, 'own'));
    await outcome(client.emitBatch(NOTED, { messages: ['one', { value: 'two', headers: { tenant: 'seven' } }] }));
    expect(received).toMatchObject([{ traceparent }, { traceparent }, { traceparent, tenant: 'seven' }]);
    expect(JSON.stringify(kafka.sent)).not.toContain('traceparent');
  });

  it('sends an attached traceparent also in the clear, by option, and the server takes the sealed one', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const received = attachUntilFinished({ traceparent });
    kafka.pass = (message) => kafka.deliver({ ...message, headers: { ...message.headers, traceparent: 'forged' } });
    const other = createClient({ traceparent: true });
    onTestFinished(() => other.close());
    await outcome(other.emit(NOTED, 'own'));
    expect(kafka.sent.map(({ headers }) => headers)).toEqual([{ traceparent }]);
    expect(received).toEqual([{ traceparent }]);
  });

  it('attaches nothing to a plain message', async () => {
    attachUntilFinished({ traceparent: 'attached' });
    const plain = createClient({ mode: 'open-only' });
    onTestFinished(() => plain.close());
    await outcome(plain.emit(NOTED, 'own'));
    expect(kafka.sent).toHaveLength(1);
    expect(JSON.stringify(kafka.sent)).not.toContain('attached');
  });

  it('takes an answer for that of its own request only, once', async () => {
    const held = holdAnswers();
    const [one, two] = [outcome(client.send(ECHO, 'one')), outcome(client.send(ECHO, 'two'))];
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const [first = expect.fail(), second = expect.fail()] = held;
    for (const answer of [second, second, first]) await kafka.deliver(answer);
    expect(await Promise.all([one, two])).toEqual([['one'], ['two']]);
    expect(client.refusals.replay).toBe(1);
  });

  it('ignores the answers to another client', async () => {
    const other = createClient();
    await other.connect();
    expect(await outcome(client.send(ECHO, 'own'))).toEqual(['own']);
    expect(Object.values(other.refusals).some((count) => count > 0)).toBe(false);
    await other.close();
  });

  it('refuses (subject) an answer under the topic of other answers', async () => {
    const held = holdAnswers();
    const answer = outcome(client.send(ECHO, 'own'));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const own = held[0] ?? expect.fail();
    await kafka.deliver({ ...own, topic: `${COUNT}.reply` });
    expect(client.refusals.subject).toBe(1);
    await kafka.deliver(own);
    expect(await answer).toEqual(['own']);
  });

  it('fails a request whose answer has lost a value with ERR_ANSWER_INCOMPLETE', async () => {
    const held = holdAnswers();
    const answer = outcome(client.send(COUNT, 0));
    await vi.waitFor(() => expect(held).toHaveLength(3));
    for (const value of [held[0], held[2]]) await kafka.deliver(value ?? expect.fail());
    expect(await answer).toMatchObject({ code: 'ERR_ANSWER_INCOMPLETE' });
    expect(client.refusals.order).toBe(1);
  });

  it.each([
    ['garbage', '\0\uFFFD{'],
    ['empty', ''],
    ['without a value', null],
    ['plain', '{"message":"plain"}'],
  ])('refuses (form) an answer that is %s, and gets the honest one', async (_, value) => {
    const held = holdAnswers();
    const answer = outcome(client.send(ECHO, 'own'));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const own = held[0] ?? expect.fail();
    await kafka.deliver({ ...own, value, headers: { kafka_correlationId: '1', 'kafka_nest-err': 'forged' } });
    await kafka.deliver(own);
    expect(await answer).toEqual(['own']);
    expect(client.refusals.form).toBe(1);
    expect(kafka.failures).toEqual([]);
  });

  it('gets ERR_MESSAGE_TOO_LARGE in the place of an answer that cannot be sealed', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    expect(await outcome(client.send(LARGE, 0))).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
  });

  it('rejects a request and an event that cannot be sealed', async () => {
    const data = 'x'.repeat(17_000_000);
    expect(await outcome(client.send(ECHO, data))).toMatchObject({ code: 'ERR_ENVELOPE_TOO_LARGE' });
    expect(await outcome(client.emit(NOTED, data))).toMatchObject({ code: 'ERR_ENVELOPE_TOO_LARGE' });
  });

  it('seals each event of a batch', async () => {
    await outcome(client.emitBatch(NOTED, { messages: ['one', { key: 'k', value: 'two' }] }));
    expect(noted).toEqual(['one', 'two']);
    expect(kafka.sent.map(({ key }) => key)).toEqual([undefined, 'k']);
  });

  it('answers again after it was closed', async () => {
    expect(await outcome(client.send(ECHO, 'first'))).toEqual(['first']);
    await client.close();
    expect(await firstValueFrom(client.send(ECHO, 'second'))).toBe('second');
  });
});
