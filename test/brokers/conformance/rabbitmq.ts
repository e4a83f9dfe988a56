import { ClientRMQ, RmqRecordBuilder, ServerRMQ } from '@nestjs/microservices';
import type { RmqContext } from '@nestjs/microservices';
import { SealedRmqClient, SealedRmqServer } from '@sealwire/brokers';
import type { ConfirmChannel } from 'amqplib';

import { Engine } from '../engines/engine.js';
import { RABBITMQ } from '../engines/rabbitmq.js';
import { sealing } from './sealed.js';
import type { HeadersUnderTest, RunningTransport, TransportUnderTest } from './transport-under-test.js';

const HEADERS: HeadersUnderTest = {
  record: (data, headers) => new RmqRecordBuilder(data).setOptions({ headers: { ...headers } }).build(),
  read: (context, name) => headersOf(context as RmqContext)?.[name],
};

interface Routing {
  readonly queue: string;
  readonly queueOptions: { readonly durable: boolean };
  readonly wildcards?: boolean;
}

/** Everything is sent to one queue. */
const BY_QUEUE: Routing = { queue: 'conformance', queueOptions: { durable: false } };

/** Nest sends to an exchange for topics with the name of the queue, and the pattern is the routing key. */
const BY_TOPIC: Routing = { ...BY_QUEUE, wildcards: true };

const OF_TOPICS = {
  wildcard: { pattern: 'conformance.orders.*', message: 'conformance.orders.created' },
  lacks: { 'object patterns': 'the routing key is the text of a pattern' },
} as const satisfies Partial<TransportUnderTest>;

/** Nest does not wait until the broker has confirmed the last answer, and nothing would handle its failure. */
class StockServer extends ServerRMQ {
  #channel: ConfirmChannel | undefined;

  override async setupChannel(channel: ConfirmChannel, onReady: () => void): Promise<void> {
    this.#channel = channel;
    await super.setupChannel(channel, onReady);
  }

  override async close(): Promise<void> {
    await this.#channel?.waitForConfirms();
    await super.close();
  }
}

function stock(routing: Routing) {
  return async (): Promise<RunningTransport> => {
    const engine = await Engine.start(RABBITMQ);
    const options = { ...routing, urls: [engine.url] };
    return {
      createServer: () => new StockServer(options),
      createClient: () => new ClientRMQ(options),
      stop: () => engine.stop(),
    };
  };
}

function sealed(routing: Routing) {
  return async (): Promise<RunningTransport> => {
    const engine = await Engine.start(RABBITMQ);
    const options = { ...routing, urls: [engine.url], seal: sealing() };
    return {
      createServer: () => new SealedRmqServer(options),
      createClient: () => new SealedRmqClient(options),
      stop: () => engine.stop(),
    };
  };
}

const SHARED = { kind: RABBITMQ, headers: HEADERS } as const;

export const ON_RABBITMQ: readonly TransportUnderTest[] = [
  { ...SHARED, name: "Nest's own RabbitMQ", start: stock(BY_QUEUE) },
  { ...SHARED, ...OF_TOPICS, name: "Nest's own RabbitMQ with wildcards", start: stock(BY_TOPIC) },
  { ...SHARED, name: 'Sealed RabbitMQ', start: sealed(BY_QUEUE) },
  { ...SHARED, ...OF_TOPICS, name: 'Sealed RabbitMQ with wildcards', start: sealed(BY_TOPIC) },
];

function headersOf(context: RmqContext): Readonly<Record<string, string>> | undefined {
  const { properties } = context.getMessage() as { properties: { headers?: Record<string, string> } };
  return properties.headers;
}
