import { EventEmitter } from 'node:events';

import { Logger } from '@nestjs/common';
import { ClientMqtt, MqttRecordBuilder, ServerMqtt } from '@nestjs/microservices';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { lastValueFrom, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { attachUntilFinished } from '../../../../test/support/attached-headers.js';
import type { SealOptions } from '../seal/seal-options.js';
import type { MqttCallback, MqttConnection, MqttPacket, MqttPublishOptions } from './mqtt-library.js';
import { SealedMqttClient } from './sealed-mqtt-client.js';
import { SealedMqttServer } from './sealed-mqtt-server.js';
import type { SealedMqttContext } from './sealed-mqtt-server.js';

interface Message {
  readonly topic: string;
  readonly data: string;
  readonly options: MqttPublishOptions;
}

/** The part of a client library that Nest uses. Every topic is subscribed. */
class FakeMqtt extends EventEmitter implements MqttConnection {
  readonly #publish: (message: Message) => void;

  constructor(publish: (message: Message) => void) {
    super();
    this.#publish = publish;
    setImmediate(() => this.emit('connect'));
  }

  publish(topic: string, data: string, options: MqttPublishOptions = {}, callback?: MqttCallback): void {
    this.#publish({ topic, data, options });
    callback?.();
  }

  subscribe(...args: unknown[]): void {
    for (const arg of args) if (typeof arg === 'function') setImmediate(arg as () => void);
  }

  unsubscribe(): void {
    // Every topic stays subscribed.
  }

  endAsync(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.removeAllListeners();
  }
}

const seal = { keyring: Keyring.of(SecretKey.fromBytes(generateKey())), service: 'orders' };
const published: Message[] = [];
let pass: (message: Message) => void;
let serverConnection: FakeMqtt;
let clientConnection: FakeMqtt;

function deliver({ topic, data, options }: Message): void {
  const receiver = topic.endsWith('/reply') ? clientConnection : serverConnection;
  receiver.emit('message', topic, Buffer.from(data), { topic, payload: data, qos: 0, ...options });
}

function connect(): FakeMqtt {
  return new FakeMqtt((message) => {
    published.push(message);
    pass(message);
  });
}

beforeEach(() => {
  published.splice(0);
  pass = deliver;
  vi.spyOn(ServerMqtt.prototype, 'createMqttClient').mockImplementation(() =>
    Promise.resolve((serverConnection = connect())),
  );
  vi.spyOn(ClientMqtt.prototype, 'createClient').mockImplementation(() => (clientConnection = connect()));
  for (const level of ['log', 'warn', 'error'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  }
});

afterEach(() => void vi.restoreAllMocks());

async function startServer(options: Partial<SealOptions> = {}) {
  const server = new SealedMqttServer({ seal: { ...seal, ...options } });
  const handled: { readonly data: unknown; readonly topic: string; readonly packet: MqttPacket }[] = [];
  server.addHandler('orders/+', (data: unknown, context: SealedMqttContext) => {
    handled.push({ data, topic: context.getTopic(), packet: context.getPacket() as MqttPacket });
    return Promise.resolve(of(data));
  });
  server.addHandler('invoices/+', (data: unknown) => Promise.resolve(of(data)));
  await new Promise<void>((resolve, reject) => {
    void server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return { server, handled };
}

const createClient = (options: Partial<SealOptions> = {}) => new SealedMqttClient({ seal: { ...seal, ...options } });
const answered = (client: SealedMqttClient, data: unknown) => lastValueFrom(client.send('orders/sum', data));

describe('A sealed MQTT transport', () => {
  it('seals user properties, content type, response topic and correlation data, and leaves the rest to the broker', async () => {
    const { handled } = await startServer();
    const properties = {
      userProperties: { tenant: 'seven', list: ['a', 'b'] },
      contentType: 'text/plain',
      responseTopic: 'elsewhere',
      correlationData: Buffer.of(1, 2, 255),
    };
    const record = new MqttRecordBuilder('sum')
      .setQoS(1)
      .setProperties({ ...properties, messageExpiryInterval: 60 })
      .build();
    expect(await answered(createClient(), record)).toBe('sum');
    expect(published[0]?.options).toEqual({ qos: 1, properties: { messageExpiryInterval: 60 } });
    expect(handled).toMatchObject([{ data: 'sum', topic: 'orders/sum' }]);
    expect(handled[0]?.packet.properties).toEqual({ ...properties, messageExpiryInterval: 60 });
  });

  it('also sends traceparent in the clear, by option', async () => {
    await startServer();
    const userProperties = { traceparent: '00-1-2-01', tenant: 'seven' };
    const record = new MqttRecordBuilder('sum').setProperties({ userProperties }).build();
    await answered(createClient({ traceparent: true }), record);
    expect(published[0]?.options).toEqual({ properties: { userProperties: { traceparent: '00-1-2-01' } } });
  });

  it('seals the headers that are attached to a call beside those of the application', async () => {
    const { handled } = await startServer();
    attachUntilFinished({ traceparent: 'attached', tracestate: 'attached' });
    const record = new MqttRecordBuilder('sum').setProperties({ userProperties: { traceparent: 'own' } }).build();
    await answered(createClient(), record);
    expect(published[0]?.options).toEqual({});
    expect(handled[0]?.packet.properties).toEqual({ userProperties: { traceparent: 'own', tracestate: 'attached' } });
  });

  it('gives a handler no property that the broker has added', async () => {
    const { handled } = await startServer();
    pass = (message) => deliver({ ...message, options: { properties: { userProperties: { tenant: 'eight' } } } });
    await answered(createClient(), 'sum');
    expect(handled[0]?.packet.properties).toBeUndefined();
  });

  it.each([
    { bind: 'subject', topic: 'orders/other', refused: 1 },
    { bind: 'pattern', topic: 'orders/other', refused: 0 },
    { bind: 'pattern', topic: 'invoices/sum', refused: 1 },
    { bind: 'none', topic: 'invoices/sum', refused: 0 },
  ] as const)('with bind $bind refuses $refused messages renamed to $topic', async ({ bind, topic, refused }) => {
    const { server, handled } = await startServer({ bind });
    pass = (message) => deliver({ ...message, topic: message.topic.endsWith('/reply') ? 'orders/sum/reply' : topic });
    const client = createClient();
    if (refused === 0) expect(await answered(client, 'sum')).toBe('sum');
    else {
      await lastValueFrom(client.emit('orders/sum', 'sum'), { defaultValue: undefined });
      await vi.waitFor(() => expect(server.refusals.subject).toBe(1));
    }
    expect(handled.map(({ topic: sealed }) => sealed)).toEqual(refused === 0 ? ['orders/sum'] : []);
  });

  it.each([
    ['form', 'empty', () => ''],
    ['form', 'plain', () => '{"pattern":"orders/sum","data":"plain","id":"1"}'],
    ['tag', 'altered', (data: string) => `${data.slice(0, -22)}${'A'.repeat(22)}`],
  ] as const)('refuses (%s) requests and answers that are %s', async (reason, _, change) => {
    const { server, handled } = await startServer();
    pass = (message) => {
      deliver({ ...message, data: change(message.data) });
      deliver(message);
    };
    const client = createClient();
    expect(await answered(client, 'honest')).toBe('honest');
    expect(handled.map(({ data }) => data)).toEqual(['honest']);
    await vi.waitFor(() => expect([server.refusals[reason], client.refusals[reason]]).toEqual([1, 1]));
  });

  it('fails a request that cannot be sealed, though Nest sends it in a callback of the library', async () => {
    await startServer();
    const keyring = Keyring.ofRing([{ key: seal.keyring.primary, state: 'accept' }]);
    await expect(answered(createClient({ keyring }), 'sum')).rejects.toMatchObject({ code: 'ERR_KEYRING_NO_PRIMARY' });
    expect(published).toEqual([]);
  });

  it('serves and sends plain messages in the mode open-only', async () => {
    const { handled } = await startServer({ mode: 'open-only' });
    expect(await answered(createClient({ mode: 'open-only' }), 'plain')).toBe('plain');
    expect(await answered(createClient(), 'sealed')).toBe('sealed');
    expect(handled.map(({ data }) => data)).toEqual(['plain', 'sealed']);
  });
});
