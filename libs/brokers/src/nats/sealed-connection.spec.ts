// Both ends on a broker in memory, which a test can make hostile. The real broker is in test/brokers.
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import type { KeyDescription } from '@sealwire/crypto';
import { MemoryReplayStore } from '@sealwire/envelope';
import type { ReplayStore } from '@sealwire/envelope';
import { describe, expect, it, vi } from 'vitest';

import { FakeHeaders, FakeNats } from '../../../../test/support/fake-nats.js';
import type { FakeMessage } from '../../../../test/support/fake-nats.js';
import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import { SealedClientConnection } from './client-connection.js';
import type { NatsMessage } from './nats-library.js';
import type { OpenedMessage } from './opened-message.js';
import { SealedServerConnection } from './server-connection.js';

const SECRET = 'the price is 17';
const INBOX = '_INBOX.1';
const newKey = (description: KeyDescription = {}) => SecretKey.fromBytes(generateKey(), 'The key', description);

function sessionOf(side: 'client' | 'server', options: Partial<SealOptions>) {
  const logger = {
    log: vi.fn<(...args: readonly unknown[]) => void>(),
    warn: vi.fn<(...args: readonly unknown[]) => void>(),
  };
  const session = new SealedSession({ scheme: 'nats', side, logger, seal: { service: 'orders', ...options } });
  return { session, logger };
}

type Handle = (message: OpenedMessage) => unknown;

/** Both ends with the same key, on one broker. */
async function newPair(server: Partial<SealOptions> = {}, client: Partial<SealOptions> = {}) {
  const broker = new FakeNats();
  const key = newKey();
  const ofServer = sessionOf('server', { keyring: Keyring.of(key), ...server });
  const ofClient = sessionOf('client', { keyring: Keyring.of(key), ...client });
  const errors: unknown[] = [];
  const serving = await ofServer.session.open(async (seals) => {
    const calls = new SealedCalls({ scheme: 'nats', forbid: () => undefined });
    const logger = { error: (error: unknown) => void errors.push(error) };
    return new SealedServerConnection({ unsealed: broker, seals, calls, logger });
  });
  const calling = await ofClient.session.open(async (seals) => new SealedClientConnection(broker, seals));
  return {
    broker,
    errors,
    logger: ofServer.logger,
    server: serving,
    client: calling,
    refusedByServer: () => given(ofServer.session.refusals.counts),
    refusedByClient: () => given(ofClient.session.refusals.counts),
    serve: (subject: string, handle: Handle, queue?: string) =>
      serving.subscribe(subject, { queue, callback: (_error, message) => handle(message as OpenedMessage) }),
    /** Sends a request. The outcomes are the texts of its answer, and the codes of errors. */
    request: (subject: string, text: string, inbox = INBOX) => {
      const outcomes: string[] = [];
      calling.subscribe(inbox, {
        callback: (error, message) => {
          if (error) outcomes.push((error as { code?: string }).code ?? error.message);
          else outcomes.push(Buffer.from(message.data).toString());
        },
      });
      calling.publish(subject, text, { reply: inbox });
      return outcomes;
    },
  };
}

function given(counts: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

describe('a sealed request', () => {
  it('is answered, and the broker sees neither its payload nor its headers', async () => {
    const { broker, client, serve, request } = await newPair();
    const seen: (string | undefined)[] = [];
    serve('price', (message) => {
      seen.push(message.string(), message.headers?.values('x-tenant')[0]);
      message.respond(SECRET);
    });
    const outcomes = request('price', SECRET);
    const headers = new FakeHeaders({ 'x-tenant': 'tenant 7' });
    client.publish('price', SECRET, { reply: '_INBOX.2', headers });
    expect(outcomes).toEqual([SECRET]);
    expect(seen).toEqual([SECRET, undefined, SECRET, 'tenant 7']);
    expect(broker.published).toHaveLength(4);
    for (const { data, headers: outer } of broker.published) {
      expect(Buffer.from(data).toString()).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(outer?.keys() ?? []).not.toContain('x-tenant');
    }
  });

  it('is refused under another subject, with another inbox, and for another service', async () => {
    const { broker, serve, request, refusedByServer } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('price', handle);
    serve('refund', handle);
    broker.onPublish = (message) => [{ ...message, subject: 'refund' }];
    request('price', SECRET);
    broker.onPublish = (message) => [{ ...message, reply: '_INBOX.stranger' }];
    request('price', SECRET);
    expect(handle).not.toHaveBeenCalled();
    expect(refusedByServer()).toEqual({ subject: 2 });
    const other = await newPair({ service: 'orders' }, { service: 'payments' });
    other.serve('price', handle);
    expect(other.request('price', SECRET)).toEqual([]);
  });

  it('runs once if the broker delivers it again, but on each of two subscriptions', async () => {
    const { broker, serve, request, refusedByServer } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('price', handle);
    serve('*', handle);
    broker.onPublish = (message) => [message, message];
    request('price', SECRET);
    expect(handle).toHaveBeenCalledTimes(2);
    expect(refusedByServer()).toEqual({ replay: 2 });
  });

  it('runs once in a queue group, although two of its subscriptions cover the subject', async () => {
    const { broker, serve, request, refusedByServer } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    broker.onPublish = (message) => [message, message];
    serve('price', handle, 'prices');
    serve('*', handle, 'prices');
    request('price', SECRET);
    expect(handle).toHaveBeenCalledTimes(1);
    expect(refusedByServer()).toEqual({ replay: 3 });
  });

  it('is refused with a key that the server does not have', async () => {
    const { serve, request, refusedByServer } = await newPair({}, { keyring: Keyring.of(newKey()) });
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('price', handle);
    request('price', SECRET);
    expect(handle).not.toHaveBeenCalled();
    expect(refusedByServer()).toEqual({ key: 1 });
  });
});

describe('a message that is not sealed', () => {
  const plain = (text: string, reply = ''): FakeMessage => ({ subject: 'price', data: Buffer.from(text), reply });

  it.each(['', 'garbage', '{"pattern":"price","data":1,"id":"1"}'])('never reaches Nest: %j', async (text) => {
    const { broker, serve, refusedByServer, logger } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('price', handle);
    for (let index = 0; index < 3; index += 1) broker.deliver(plain(text, INBOX));
    expect(handle).not.toHaveBeenCalled();
    expect(refusedByServer()).toEqual({ form: 3 });
    const line = 'Refused a message on "nats:price": it is not an envelope, or is too large (form)';
    expect(logger.warn.mock.calls).toEqual([[line]]);
  });

  it('does not pass as an answer', async () => {
    const { broker, request, refusedByClient } = await newPair();
    const outcomes = request('price', SECRET);
    broker.deliver({ ...plain('{"response":1,"isDisposed":true}'), subject: INBOX });
    broker.deliver({ ...plain(''), subject: INBOX });
    expect(outcomes).toEqual([]);
    expect(refusedByClient()).toEqual({ form: 2 });
  });

  it('passes as the status 503 on the inbox of a request, and nowhere else', async () => {
    const { broker, serve, request } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('price', handle);
    const headers = new FakeHeaders({}, 503);
    const outcomes = request('unknown', SECRET);
    broker.deliver({ ...plain(''), subject: INBOX, headers });
    broker.deliver({ ...plain(''), headers });
    expect(outcomes).toEqual(['']);
    expect(handle).not.toHaveBeenCalled();
  });

  it('is served in the mode open-only, beside sealed ones', async () => {
    const { broker, serve, request } = await newPair({ mode: 'open-only' });
    const seen: string[] = [];
    serve('price', (message: NatsMessage) => void seen.push(Buffer.from(message.data).toString()));
    broker.deliver(plain('plain'));
    request('price', 'sealed');
    expect(seen).toEqual(['plain', 'sealed']);
  });

  it('is sent by a client in the mode open-only', async () => {
    const { broker, client } = await newPair({}, { mode: 'open-only' });
    client.publish('price', 'plain');
    expect(broker.published.map(({ data }) => Buffer.from(data).toString())).toEqual(['plain']);
  });
});

describe('the values of a sealed answer', () => {
  const answers = (broker: FakeNats): number => broker.published.filter(({ subject }) => subject === INBOX).length;
  const countTo3: Handle = (message) => [1, 2, 3].forEach((value) => message.respond(String(value)));

  it('fail the request if one of them is lost', async () => {
    const { broker, serve, request, refusedByClient } = await newPair();
    serve('count', countTo3);
    broker.onPublish = (message) => (answers(broker) === 2 ? [] : [message]);
    expect(request('count', '')).toEqual(['1', 'ERR_ANSWER_INCOMPLETE']);
    expect(refusedByClient()).toEqual({ order: 1 });
  });

  it('arrive once if the broker repeats them', async () => {
    const { broker, serve, request, refusedByClient } = await newPair();
    serve('count', countTo3);
    broker.onPublish = (message) => (message.subject === INBOX ? [message, message] : [message]);
    expect(request('count', '')).toEqual(['1', '2', '3']);
    expect(refusedByClient()).toEqual({ order: 3 });
  });

  it('are those of the first server that answers', async () => {
    const { serve, request } = await newPair();
    serve('count', countTo3);
    serve('count', countTo3);
    expect(request('count', '')).toEqual(['1', '2', '3']);
  });

  it('do not pass as the answer to another request', async () => {
    const { broker, serve, request, refusedByClient } = await newPair();
    serve('echo', (message) => message.respond(message.string()));
    broker.onPublish = (message) => (message.subject === INBOX ? [{ ...message, subject: '_INBOX.2' }] : [message]);
    request('echo', 'one');
    expect(request('echo', 'two', '_INBOX.2')).toEqual(['two']);
    expect(refusedByClient()).toEqual({});
    request('echo', 'three');
    expect(refusedByClient()).toEqual({ subject: 1 });
  });

  it('do not pass if another key has sealed them', async () => {
    const [first, second] = [newKey(), newKey()];
    const { broker, server, request, refusedByClient } = await newPair(
      { keyring: Keyring.of(second, first) },
      { keyring: Keyring.of(first, second) },
    );
    const outcomes = request('price', SECRET);
    server.publish(INBOX, 'forged');
    expect(broker.published).toHaveLength(2);
    expect(outcomes).toEqual([]);
    expect(refusedByClient()).toEqual({ key: 1 });
  });

  it('do not pass as requests', async () => {
    const { broker, serve, request, refusedByServer } = await newPair({ bind: 'none' });
    const handle = vi.fn<Handle>((message) => message.respond('{"pattern":"price"}'));
    serve('price', handle);
    request('price', SECRET);
    const answer = broker.published.at(-1);
    if (answer === undefined) throw new Error('There is no answer');
    broker.deliver({ ...answer, subject: 'price', reply: INBOX });
    expect(handle).toHaveBeenCalledTimes(1);
    expect(refusedByServer()).toEqual({ subject: 1 });
  });

  it('end with an error if one is larger than the broker accepts', async () => {
    const { broker, serve, request, errors } = await newPair();
    broker.maxBytes = 10_000;
    serve('blob', (message) => message.respond(Buffer.alloc(20_000)));
    const [outcome = ''] = request('blob', '');
    expect(JSON.parse(outcome)).toMatchObject({
      err: { status: 'error', code: 'ERR_MESSAGE_TOO_LARGE' },
      isDisposed: true,
    });
    expect(errors).toHaveLength(1);
  });
});

describe('an event', () => {
  it.each(['', 'a b', 'a\tb', 'a\r\nPUB b 0\r\n', '$JS.API.\nPUB b 0', 'a\0b'])(
    'with the subject %j is not sent: it could be read as further commands',
    async (subject) => {
      for (const mode of ['seal', 'open-only'] as const) {
        const { broker, client } = await newPair({}, { mode });
        expect(() => client.publish(subject, SECRET)).toThrow(expect.objectContaining({ code: 'ERR_SUBJECT' }));
        expect(broker.published).toEqual([]);
      }
    },
  );

  it('cannot be turned into a request', async () => {
    const { broker, client, serve, refusedByServer } = await newPair();
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    serve('noted', handle);
    broker.onPublish = (message) => [{ ...message, reply: INBOX }];
    client.publish('noted', SECRET);
    expect(handle).not.toHaveBeenCalled();
    expect(refusedByServer()).toEqual({ subject: 1 });
  });

  it('under a mapped subject is handled with the sealed one if the pattern of the handler covers it', async () => {
    const { broker, client, serve, refusedByServer } = await newPair({ bind: 'pattern' });
    const subjects: string[] = [];
    serve('orders.>', ({ subject }) => void subjects.push(subject));
    broker.onPublish = (message) => [{ ...message, subject: 'orders.moved' }];
    client.publish('orders.created', SECRET);
    client.publish('invoices.created', SECRET);
    expect(subjects).toEqual(['orders.created']);
    expect(refusedByServer()).toEqual({ subject: 1 });
  });

  it('of a service of the broker is not sealed', async () => {
    const { broker, client } = await newPair();
    client.publish('$JS.API.INFO', 'plain');
    expect(broker.published.map(({ data }) => Buffer.from(data).toString())).toEqual(['plain']);
  });

  it('shows the broker its own headers, and traceparent by option', async () => {
    const { broker, client } = await newPair({}, { traceparent: true });
    const headers = new FakeHeaders({ 'Nats-Msg-Id': '1', traceparent: '00-1', 'x-tenant': 'tenant 7' });
    client.publish('noted', SECRET, { headers });
    expect(broker.published[0]?.headers?.keys()).toEqual(['Sealwire-Headers', 'Nats-Msg-Id', 'traceparent']);
  });
});

describe('a shared replay store', () => {
  const queue = 'orders';

  it('lets one of two servers run a message that the broker gives to both', async () => {
    const replayStore = new MemoryReplayStore();
    const key = newKey();
    const [one, two] = await Promise.all(
      [1, 2].map(() => newPair({ keyring: Keyring.of(key), replayStore }, { keyring: Keyring.of(key) })),
    );
    if (one === undefined || two === undefined) throw new Error('There are no servers');
    const handle = vi.fn<(...args: readonly unknown[]) => void>();
    one.serve('price', handle, queue);
    two.serve('price', handle, queue);
    one.broker.onPublish = (message) => (two.broker.deliver(message), [message]);
    one.request('price', SECRET);
    await vi.waitFor(() => expect({ ...one.refusedByServer(), ...two.refusedByServer() }).toEqual({ replay: 1 }));
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('keeps the messages of a subject in order while it is asked', async () => {
    const claimed: (() => void)[] = [];
    const replayStore: ReplayStore = {
      claim: () => new Promise((resolve) => void claimed.push(() => resolve(true))),
    };
    const { client, serve } = await newPair({ replayStore });
    const seen: string[] = [];
    serve('noted', (message) => void seen.push(message.string()), queue);
    for (const text of ['1', '2', '3']) client.publish('noted', text);
    for (const claim of claimed.toReversed()) claim();
    await vi.waitFor(() => expect(seen).toEqual(['1', '2', '3']));
  });

  it('is not asked for a subscription that every server has', async () => {
    const claim = vi.fn<ReplayStore['claim']>().mockResolvedValue(true);
    const { client, serve } = await newPair({ replayStore: { claim } });
    serve('noted', () => undefined);
    client.publish('noted', SECRET);
    expect(claim).not.toHaveBeenCalled();
  });
});

describe('the connection that unwrap() returns', () => {
  it.each(['rtt', 'flush', 'drain', 'close'] as const)('passes %s on to the client library', async (method) => {
    const { broker, server, client } = await newPair();
    const called = vi.spyOn(broker, method);
    await server[method]();
    await client[method]();
    expect(called.mock.contexts).toEqual([broker, broker]);
  });
});
