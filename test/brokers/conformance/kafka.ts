import { ClientKafka, ServerKafka } from '@nestjs/microservices';
import type { KafkaContext } from '@nestjs/microservices';
import { SealedKafkaClient, SealedKafkaServer } from '@sealwire/brokers';

import { KCAT, startKafkaMock } from '../engines/kafka.js';
import { IS_NEST_11 } from './nest-version.js';
import { sealing } from './sealed.js';
import type { HeadersUnderTest, TransportUnderTest } from './transport-under-test.js';

const HEADERS: HeadersUnderTest = {
  record: (value, headers) => ({ value, headers }),
  read: (context, name) => {
    const value = (context as KafkaContext).getMessage().headers?.[name];
    return typeof value === 'string' ? value : undefined;
  },
};

/** Exists before a server subscribes to a pattern that covers it. */
const ORDER_CREATED = 'conformance.orders.created';

/** What every transport on Kafka can do. Nest 11 has no patterns that cover topics. */
const ON_KAFKA = {
  kind: KCAT,
  ...(!IS_NEST_11 && { wildcard: { pattern: /^conformance\.orders\./, message: ORDER_CREATED } }),
  lacks: {
    'object patterns': 'the topic is the text of a pattern',
    'bytes as JSON': 'bytes arrive as text, or as bytes if the first one is 0',
    ...(IS_NEST_11 && { 'empty answers': 'Nest 11 does not answer' }),
  },
  hasNoNumbers: true,
  emptyAnswer: [null],
  headers: HEADERS,
} as const satisfies Partial<TransportUnderTest>;

/** A client must subscribe to the answers to each pattern before it connects. */
const REQUESTS = ['sum', 'echo', 'count', 'nothing', 'fail', 'refuse', 'break', 'header'].map(
  (name) => `conformance.${name}`,
);

/** New ones for each end: Nest 11 changes them. */
function optionsAt(address: string) {
  return {
    client: { brokers: [address] },
    // The mock broker answers a fetch without a message after this time only, and keeps a consumer that has left its
    // group for the session.
    consumer: { groupId: 'conformance', maxWaitTimeInMs: 20, sessionTimeout: 6000, heartbeatInterval: 1000 },
    subscribe: { fromBeginning: true },
  };
}

function awaitingAnswers<Client extends ClientKafka>(client: Client): Client {
  for (const pattern of REQUESTS) client.subscribeToResponseOf(pattern);
  return client;
}

export const STOCK_KAFKA: TransportUnderTest = {
  ...ON_KAFKA,
  name: "Nest's own Kafka",
  async start() {
    const mock = await startKafkaMock(ORDER_CREATED);
    const options = () => optionsAt(mock.address);
    return {
      createServer: () => new ServerKafka(options()),
      createClient: () => awaitingAnswers(new ClientKafka(options())),
      stop: () => mock.stop(),
    };
  },
};

export const SEALED_KAFKA: TransportUnderTest = {
  ...ON_KAFKA,
  name: 'Sealed Kafka',
  async start() {
    const mock = await startKafkaMock(ORDER_CREATED);
    const seal = sealing();
    const options = () => ({ ...optionsAt(mock.address), seal });
    return {
      createServer: () => new SealedKafkaServer(options()),
      createClient: () => awaitingAnswers(new SealedKafkaClient(options())),
      stop: () => mock.stop(),
    };
  },
};
