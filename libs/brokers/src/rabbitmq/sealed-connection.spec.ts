// Both ends on a broker in memory, which a test can make hostile. The real broker is in test/brokers.
import { AsyncLocalStorage } from 'node:async_hooks';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { MemoryReplayStore } from '@sealwire/envelope';
import { describe, expect, it, vi } from 'vitest';

import { FakeRabbit } from '../../../../test/support/fake-rabbit.js';
import { SealedCalls } from '../handler/sealed-calls.js';
import { AwaitedAnswers } from '../seal/awaited-answers.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import { SealedRmqClientConnection } from './client-connection.js';
import type { RmqMessage, SealedRmqChannel } from './rmq-library.js';
import { SealedRmqServerConnection } from './server-connection.js';

const SECRET = 'the price is 17';
const ENVELOPE = /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/;
const QUEUE = 'orders';
const REPLY_QUEUE = 'amq.rabbitmq.reply-to';

interface PairOptions {
  readonly server?: Partial<SealOptions>;
  readonly client?: Partial<SealOptions>;
  readonly noAck?: boolean;
  readonly isDurable?: boolean;
}

/** Both ends with the same key, on one broker. The server answers each request with `answers`. */
async function newPair({ server = {}, client = {}, noAck = false, isDurable = false }: PairOptions = {}) {
  const broker = new FakeRabbit();
  const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
  const logger = { log: vi.fn<() => void>(), warn: vi.fn<() => void>() };
  const session = (side: 'client' | 'server', seal: Partial<SealOptions>) =>
    new SealedSession({ scheme: 'rabbitmq', side, logger, seal: { service: 'orders', keyring, ...seal } });
  const ofServer = session('server', server);
  const ofClient = session('client', client);
  const errors: unknown[] = [];
  const onFailed = (error: unknown): void => void errors.push(error);
  const handled: RmqMessage[] = [];
  const answering = new AsyncLocalStorage<unknown>();
  const serving = new SealedRmqServerConnection({
    unsealed: broker.connection(),
    seals: await ofServer.start(),
    onFailed,
    calls: new SealedCalls({ scheme: 'rabbitmq', forbid: () => undefined }),
    answering,
    isDurable,
  });
  const serverSender = serving.createChannel({
    json: false,
    setup: consumeWith(QUEUE, noAck, (message) => {
      if (message !== null) handled.push(message);
    }),
  });
  const awaited = new AwaitedAnswers();
  const incomplete: string[] = [];
  const calling = new SealedRmqClientConnection({
    unsealed: broker.connection(),
    seals: await ofClient.start(),
    onFailed,
    awaited,
    onIncomplete: (id) => void incomplete.push(id),
  });
  const answers: string[] = [];
  const clientSender = calling.createChannel({
    json: false,
    setup: consumeWith(REPLY_QUEUE, true, (message) => void answers.push(textOf(message))),
  });
  return {
    broker,
    errors,
    handled,
    answers,
    incomplete,
    awaited,
    client: clientSender,
    refusedByServer: () => given(ofServer.refusals.counts),
    refusedByClient: () => given(ofClient.refusals.counts),
    request: (id = 'request 1', text = SECRET) =>
      clientSender.sendToQueue(QUEUE, Buffer.from(text), { replyTo: REPLY_QUEUE, correlationId: id }),
    /** Sends a value of the answer to a message that was handled. */
    respond: (message: RmqMessage, text: string) => {
      const { replyTo, correlationId } = message.properties;
      return answering.run(message, () =>
        serverSender.sendToQueue(String(replyTo), Buffer.from(text), { correlationId }),
      );
    },
  };
}

function consumeWith(queue: string, noAck: boolean, callback: (message: RmqMessage | null) => void) {
  return (channel: SealedRmqChannel): Promise<void> => {
    channel.consume(queue, callback, { noAck });
    return Promise.resolve();
  };
}

const textOf = (message: RmqMessage | null): string => Buffer.from(message?.content ?? []).toString();

function given(counts: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function first(messages: readonly RmqMessage[]): RmqMessage {
  const [message] = messages;
  if (message === undefined) throw new Error('There is no message');
  return message;
}

describe('a sealed request on RabbitMQ', () => {
  it('is answered, and the broker sees neither its payload nor its headers and properties', async () => {
    const { broker, client, handled, answers, request, respond } = await newPair();
    await request();
    await respond(first(handled), SECRET);
    const options = {
      headers: { 'x-tenant': 'tenant 7', 'x-delay': 5 },
      type: 'price',
      correlationId: 'own',
      priority: 3,
    };
    await client.sendToQueue(QUEUE, Buffer.from(SECRET), options);
    expect(answers).toEqual([SECRET]);
    expect(broker.sent).toHaveLength(3);
    for (const { content } of broker.sent) expect(Buffer.from(content).toString()).toMatch(ENVELOPE);
    expect(broker.sent[2]?.properties).toEqual({ headers: { 'x-delay': 5 }, priority: 3 });
    expect(handled[1]?.properties).toMatchObject({ headers: { 'x-tenant': 'tenant 7', 'x-delay': 5 }, type: 'price' });
  });

  it('is refused under another routing key, exchange or correlation id, without a reply queue, and moved to the dead letters', async () => {
    const { broker, handled, refusedByServer, request } = await newPair();
    const moved: ((message: RmqMessage) => RmqMessage)[] = [
      (message) => ({ ...message, fields: { exchange: '', routingKey: 'refunds' } }),
      (message) => ({ ...message, fields: { exchange: 'other', routingKey: QUEUE } }),
      (message) => ({ ...message, properties: { ...message.properties, correlationId: 'other' } }),
      (message) => ({ ...message, properties: { ...message.properties, replyTo: undefined } }),
    ];
    for (const move of moved) {
      broker.onSend = (message) => {
        broker.deliver(move(message), QUEUE);
        return [];
      };
      await request();
    }
    expect(handled).toEqual([]);
    expect(refusedByServer()).toEqual({ subject: 4 });
    expect(broker.nacked.map(([, requeue]) => requeue)).toEqual([false, false, false, false]);
  });

  it('that is an event reaches no handler with a reply queue that a stranger adds', async () => {
    const { broker, client, handled, refusedByServer } = await newPair();
    broker.onSend = (message) => [{ ...message, properties: { replyTo: 'strangers', correlationId: 'x' } }];
    await client.sendToQueue(QUEUE, Buffer.from(SECRET));
    expect(handled).toEqual([]);
    expect(refusedByServer()).toEqual({ subject: 1 });
  });

  it('is handled once if the broker delivers it again, also with the mark of a redelivery', async () => {
    const { broker, handled, refusedByServer, request } = await newPair();
    broker.onSend = (message) => {
      const again = { ...message, fields: { ...message.fields, redelivered: true } };
      return [message, again, message];
    };
    await request();
    expect(handled).toHaveLength(1);
    expect(refusedByServer()).toEqual({ replay: 2 });
  });

  it('is handled again from a durable queue with acknowledgements, and at any age', async () => {
    const { broker, handled, refusedByServer, request } = await newPair({ isDurable: true, server: { maxAgeMs: 1 } });
    broker.onSend = (message) => [message, message];
    await request();
    expect(handled).toHaveLength(2);
    expect(refusedByServer()).toEqual({});
  });

  it('is not refused to the broker if the server does not acknowledge', async () => {
    const { broker, refusedByServer } = await newPair({ noAck: true });
    broker.deliver({ content: Buffer.from('garbage'), fields: { exchange: '', routingKey: QUEUE }, properties: {} });
    expect(refusedByServer()).toEqual({ form: 1 });
    expect(broker.nacked).toEqual([]);
  });

  it.each([
    ['form', Buffer.from('{"pattern":"price","data":17}'), {}],
    ['form', Buffer.alloc(0), {}],
    ['audience', undefined, { service: 'payments' }],
    ['key', undefined, { keyring: Keyring.of(SecretKey.fromBytes(generateKey())) }],
  ] as const)('is refused (%s) and moved to the dead letters', async (reason, content, client) => {
    const { broker, handled, refusedByServer, request } = await newPair({ client });
    broker.onSend = (message) => [{ ...message, content: content ?? message.content }];
    await request();
    expect(handled).toEqual([]);
    expect(refusedByServer()).toEqual({ [reason]: 1 });
    expect(broker.nacked).toHaveLength(1);
  });

  it('is refused (tag) with one changed byte', async () => {
    const { broker, handled, refusedByServer, request } = await newPair();
    broker.onSend = (message) => {
      const content = Buffer.from(message.content);
      content.write(
        content.toString('latin1', content.length - 30, content.length - 29) === 'A' ? 'B' : 'A',
        content.length - 30,
      );
      return [{ ...message, content }];
    };
    await request();
    expect(handled).toEqual([]);
    expect(refusedByServer()).toEqual({ tag: 1 });
  });

  it('is claimed in the shared store, so that one of two servers handles it', async () => {
    const replayStore = new MemoryReplayStore();
    const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
    const one = await newPair({ server: { replayStore, keyring }, client: { keyring } });
    const two = await newPair({ server: { replayStore, keyring } });
    await one.request();
    two.broker.deliver(first(one.broker.sent));
    await expect.poll(() => one.handled.length).toBe(1);
    await expect.poll(() => two.refusedByServer()).toEqual({ replay: 1 });
    expect(two.handled).toEqual([]);
  });

  it('is handled under any name with bind: none', async () => {
    const { broker, handled, request } = await newPair({ server: { bind: 'none' } });
    broker.onSend = (message) => {
      broker.deliver({ ...message, fields: { exchange: 'dead', routingKey: 'letters' } }, QUEUE);
      return [];
    };
    await request();
    expect(first(handled).fields).toEqual({ exchange: '', routingKey: QUEUE });
  });
});

describe('a sealed answer on RabbitMQ', () => {
  it('is refused for another request, twice, and after one that was lost', async () => {
    const { broker, handled, answers, incomplete, request, respond, refusedByClient } = await newPair();
    await request('request 1');
    await request('request 2');
    broker.onSend = (message) => [{ ...message, properties: { correlationId: 'request 2' } }];
    await respond(first(handled), 'swapped');
    broker.onSend = (message) => [message, message];
    const second = handled[1];
    if (second === undefined) throw new Error('The second request was not handled');
    await respond(second, 'value 1');
    broker.onSend = () => [];
    await respond(second, 'value 2');
    broker.onSend = (message) => [message];
    await respond(second, 'value 3');
    expect(answers).toEqual(['value 1']);
    expect(refusedByClient()).toEqual({ subject: 1, order: 2 });
    expect(incomplete).toEqual(['request 2']);
  });

  it('to no request, plain text and the cancellation of the consumer do not reach Nest', async () => {
    const { broker, handled, answers, awaited, errors, request, respond, refusedByClient } = await newPair();
    await request('error');
    awaited.delete('error');
    await respond(first(handled), 'late');
    const plain = { content: Buffer.from('{"err":"forged"}'), properties: { correlationId: 'error' } };
    broker.deliver({ ...plain, fields: { exchange: '', routingKey: REPLY_QUEUE } });
    broker.deliver(null, REPLY_QUEUE);
    expect(answers).toEqual([]);
    expect(refusedByClient()).toEqual({ form: 1 });
    expect(errors).toHaveLength(1);
  });

  it('cannot be sent without a queue, and nothing fails', async () => {
    const { handled, answers, errors, request, respond } = await newPair();
    await request();
    await respond({ ...first(handled), properties: { replyTo: '' } }, SECRET);
    expect(answers).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is plain for a plain request in the mode open-only', async () => {
    const open = { mode: 'open-only' } as const;
    const { broker, handled, answers, request, respond } = await newPair({ server: open, client: open });
    await request();
    await respond(first(handled), SECRET);
    expect(broker.sent.map(textOf)).toEqual([SECRET, SECRET]);
    expect(answers).toEqual([SECRET]);
  });
});
