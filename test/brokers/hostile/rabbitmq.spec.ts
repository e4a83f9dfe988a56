// What a client of RabbitMQ that has every right, and not the key, can do to the sealed transport.
import { Logger } from '@nestjs/common';
import { RmqRecordBuilder } from '@nestjs/microservices';
import { SealedRmqClient, SealedRmqServer } from '@sealwire/brokers';
import type { SealOptions } from '@sealwire/brokers';
import type { ConsumeMessage } from 'amqplib';
import { lastValueFrom, of, retry, throwError, timeout } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sealing } from '../conformance/sealed.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { RABBITMQ } from '../engines/rabbitmq.js';
import { RabbitStranger } from './rabbit-stranger.js';

const QUEUE = 'hostile';
const OTHER_QUEUE = 'hostile.other';
const SECRET = 'the account number is 4711';
const HEADER = 'the name of the tenant';
const FAILURE = 'the reason of the failure';
const MAX_AGE_MS = 5000;
const AGED = { timeout: 60_000, interval: 500 };
const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;

const GARBAGE: readonly (readonly [string, Buffer])[] = [
  ['no bytes', Buffer.alloc(0)],
  ['bytes outside UTF-8', Buffer.of(0, 255, 128, 0)],
  ['an incomplete JSON text', Buffer.from('{"pattern":')],
  ['null', Buffer.from('null')],
  ['a plain event', Buffer.from('{"pattern":"echo","data":"plain"}')],
  ['a plain request', Buffer.from('{"pattern":"echo","data":"plain","id":"1"}')],
  ['a plain answer', Buffer.from('{"response":"plain","isDisposed":true}')],
  [
    'an envelope without a key',
    Buffer.from(`${'A'.repeat(300)}..${'A'.repeat(22)}.${'A'.repeat(43)}.${'A'.repeat(22)}`),
  ],
];

describe.skipIf(isMissing(RABBITMQ))(`Sealed RabbitMQ before a stranger${skipNote(RABBITMQ)}`, () => {
  const handled: unknown[] = [];
  const seal: SealOptions = { ...sealing(), maxAgeMs: MAX_AGE_MS };
  let engine: Engine;
  let server: SealedRmqServer;
  let other: SealedRmqServer;
  let client: SealedRmqClient;
  let stranger: RabbitStranger;

  const call = (data: unknown, pattern = 'echo'): Promise<unknown> => lastValueFrom(client.send(pattern, data));

  async function startServer(queue: string): Promise<SealedRmqServer> {
    const options = { urls: [engine.url], queue, queueOptions: { durable: false }, noAck: false, seal };
    const strategy = new SealedRmqServer(options);
    strategy.addHandler('echo', (data: unknown, context: { getChannelRef(): Acks; getMessage(): unknown }) => {
      handled.push(data);
      context.getChannelRef().ack(context.getMessage());
      return Promise.resolve(of(data));
    });
    strategy.addHandler('fail', () => Promise.resolve(throwError(() => ({ message: FAILURE }))));
    await new Promise<void>((resolve, reject) => {
      void strategy.listen((error) => (error === undefined ? resolve() : reject(error)));
    });
    return strategy;
  }

  /** Sends with the client, and takes the message before the server gets it. */
  async function taken(
    send: () => Promise<unknown>,
  ): Promise<readonly [message: ConsumeMessage, outcome: Promise<unknown>]> {
    const before = stranger.seen.length;
    const release = await stranger.intercept();
    const outcome = send().catch((error: unknown) => error);
    await expect.poll(() => stranger.seen.length).toBe(before + 1);
    await release();
    return [stranger.seen.at(-1) ?? expect.fail(), outcome];
  }

  /** Lets the server answer a message to the stranger, and returns the answer. */
  async function answerTo(message: ConsumeMessage): Promise<ConsumeMessage> {
    const before = stranger.seen.length;
    stranger.send(message, { isAnsweredHere: true });
    await expect.poll(() => stranger.seen.length).toBe(before + 1);
    return stranger.seen.at(-1) ?? expect.fail();
  }

  /** The client receives an answer under the correlation id of a request. */
  function forward(answer: ConsumeMessage, request: ConsumeMessage): void {
    const { correlationId, replyTo } = request.properties;
    stranger.send(answer, { queue: String(replyTo), properties: { correlationId: correlationId as unknown } });
  }

  beforeAll(async () => {
    Logger.overrideLogger(false);
    engine = await Engine.start(RABBITMQ);
    server = await startServer(QUEUE);
    other = await startServer(OTHER_QUEUE);
    client = new SealedRmqClient({ urls: [engine.url], queue: QUEUE, queueOptions: { durable: false }, seal });
    await lastValueFrom(client.send('echo', 'first').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
    stranger = await RabbitStranger.connect(engine.url, QUEUE);
    await stranger.receiveAnswers();
  });

  beforeEach(() => void handled.splice(0));

  afterAll(async () => {
    await client.close();
    await server.close();
    await other.close();
    await stranger.close();
    await engine.stop();
  });

  it('shows it no text of a request, an answer, a header or an error', async () => {
    const record = () =>
      new RmqRecordBuilder(SECRET).setOptions({ headers: { 'x-tenant': HEADER }, type: HEADER }).build();
    const [request, outcome] = await taken(() => call(record()));
    forward(await answerTo(request), request);
    expect(await outcome).toBe(SECRET);
    const [failing, failure] = await taken(() => call(record(), 'fail'));
    forward(await answerTo(failing), failing);
    expect(await failure).toMatchObject({ message: FAILURE });
    const all = stranger.seen.map((message) => `${message.content.toString()}${JSON.stringify(message)}`).join('');
    for (const secret of [SECRET, HEADER, FAILURE]) {
      for (const form of [secret, ...base64Forms(secret)]) expect(all).not.toContain(form);
    }
  });

  it('handles no message again that it replays', async () => {
    const [request, outcome] = await taken(() => call('once'));
    forward(await answerTo(request), request);
    expect(await outcome).toBe('once');
    const before = server.refusals.replay;
    stranger.send(request);
    await expect.poll(() => server.refusals.replay).toBe(before + 1);
    expect(await call('honest')).toBe('honest');
    expect(handled).toEqual(['once', 'honest']);
  });

  it('handles no message that it has moved to another queue, or given another correlation id', async () => {
    const [request] = await taken(() => call('moved'));
    stranger.send(request, { queue: OTHER_QUEUE });
    await expect.poll(() => other.refusals.subject).toBe(1);
    const before = server.refusals.subject;
    stranger.send(request, { properties: { correlationId: 'another' } });
    await expect.poll(() => server.refusals.subject).toBe(before + 1);
    expect(await call('honest')).toBe('honest');
    expect(handled).toEqual(['honest']);
  });

  it('handles no message that it has kept beyond the age', async () => {
    const [request] = await taken(() => call('old'));
    // Under another correlation id it is refused before the age is checked, or for its age: it never runs.
    const isTooOld = (): number => {
      stranger.send(request, { properties: { correlationId: 'another' } });
      return server.refusals.age;
    };
    await expect.poll(isTooOld, AGED).toBeGreaterThan(0);
    const before = server.refusals.age;
    stranger.send(request);
    await expect.poll(() => server.refusals.age).toBeGreaterThan(before);
    expect(await call('honest')).toBe('honest');
    expect(handled).toEqual(['honest']);
  });

  it('takes the answer to another request, or a second copy, for no answer', async () => {
    const [first, one] = await taken(() => call('one'));
    const [second, two] = await taken(() => call('two'));
    const [answer, honest] = [await answerTo(first), await answerTo(second)];
    const { subject } = client.refusals;
    forward(answer, second);
    await expect.poll(() => client.refusals.subject).toBe(subject + 1);
    forward(honest, second);
    forward(honest, second);
    forward(answer, first);
    expect(await Promise.all([one, two])).toEqual(['one', 'two']);
  });

  it.each(GARBAGE)('survives %s in place of a request and of an answer', async (_, content) => {
    const [request, outcome] = await taken(() => call('waits'));
    const answer = await answerTo(request);
    const before = [server.refusals.form, client.refusals.form, handled.length] as const;
    stranger.send(request, { content });
    forward({ ...answer, content }, request);
    forward({ ...answer, content }, { ...request, properties: { ...request.properties, correlationId: 'error' } });
    await expect.poll(() => server.refusals.form + server.refusals.key).toBeGreaterThan(before[0]);
    await expect.poll(() => client.refusals.form).toBe(before[1] + 2);
    expect(handled).toHaveLength(before[2]);
    forward(answer, request);
    expect(await outcome).toBe('waits');
    expect(await call('honest')).toBe('honest');
  });
});

interface Acks {
  ack(message: unknown): void;
}

/** The three texts that contain the inner part of a secret in base64, whatever comes before it. */
function base64Forms(secret: string): readonly string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${secret}`)
      .toString('base64url')
      .slice(4, -4),
  );
}
