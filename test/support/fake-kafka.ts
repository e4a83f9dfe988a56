import { ClientKafka, ServerKafka } from '@nestjs/microservices';
import { vi } from 'vitest';

import type {
  Kafka,
  KafkaDelivery,
  KafkaMessage,
  KafkaTopicMessages,
} from '../../libs/brokers/src/kafka/kafka-library.js';

const GROUP_JOIN = 'consumer.group_join';
const EVENTS = { GROUP_JOIN, CONNECT: '', DISCONNECT: '', REBALANCING: '', STOP: '', CRASH: '' };
/** `kafkajs` would go on. */
const MAX_ATTEMPTS = 4;

export interface SentMessage extends KafkaMessage {
  readonly topic: string;
}

type EachMessage = (delivery: KafkaDelivery) => Promise<void>;

/** In the place of Kafka, of which Nest's classes then need no client library: a test decides what becomes of a message. */
export class FakeKafka {
  /** All messages that were sent, in order. */
  readonly sent: SentMessage[] = [];
  /** What the consumers have rejected with. */
  readonly failures: unknown[] = [];
  /** Called with each message. Delivers it, unless a test puts another function here. */
  pass = (message: SentMessage): Promise<void> => this.deliver(message);
  readonly #consumers: { readonly topics: readonly string[]; readonly eachMessage: EachMessage }[] = [];
  #offset = 0;

  /** Until the mocks of vitest are restored. */
  static install(): FakeKafka {
    const kafka = new FakeKafka();
    vi.spyOn(ServerKafka.prototype, 'createClient').mockImplementation(() => Promise.resolve(kafka.client()));
    vi.spyOn(ClientKafka.prototype, 'createClient').mockImplementation(() => Promise.resolve(kafka.client()));
    return kafka;
  }

  client(): Kafka {
    return { consumer: () => this.#consumer(), producer: () => this.#producer() };
  }

  /** Gives a message to all consumers of its topic, and as `kafkajs` does again to one that fails. */
  async deliver({ topic, key, value, headers = {} }: SentMessage): Promise<void> {
    this.#offset += 1;
    const message = {
      offset: String(this.#offset),
      timestamp: '0',
      attributes: 0,
      key: bytesOf(key),
      value: bytesOf(value),
      headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, asReceived(values)])),
    };
    for (const { topics, eachMessage } of this.#consumers) {
      if (topics.includes(topic)) await this.#consume(() => eachMessage(delivery(topic, { ...message })));
    }
  }

  async #consume(consume: () => Promise<void>): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      try {
        await consume();
        return;
      } catch (error) {
        this.failures.push(error);
      }
    }
  }

  async #send({ topic, messages }: KafkaTopicMessages): Promise<readonly object[]> {
    for (const message of messages) {
      const sent = { ...message, topic };
      this.sent.push(sent);
      await this.pass(sent);
    }
    return [];
  }

  #consumer() {
    const topics: string[] = [];
    let join: ((event: unknown) => void) | undefined;
    return {
      events: EVENTS,
      on: (event: string, listener: (event: unknown) => void) => void (event === GROUP_JOIN && (join = listener)),
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      subscribe: (to: { readonly topics: readonly string[] }) => Promise.resolve(void topics.push(...to.topics)),
      run: ({ eachMessage }: { readonly eachMessage: EachMessage }) => {
        this.#consumers.push({ topics, eachMessage });
        join?.({ payload: { memberAssignment: Object.fromEntries(topics.map((topic) => [topic, [0]])) } });
        return Promise.resolve();
      },
    };
  }

  #producer() {
    return {
      events: EVENTS,
      on: () => undefined,
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      send: (record: KafkaTopicMessages) => this.#send(record),
      sendBatch: async ({ topicMessages = [] }: { readonly topicMessages?: readonly KafkaTopicMessages[] }) => {
        for (const record of topicMessages) await this.#send(record);
      },
    };
  }
}

function delivery(topic: string, message: KafkaDelivery['message']): KafkaDelivery {
  return { topic, partition: 0, message, heartbeat: () => Promise.resolve(), pause: () => () => undefined };
}

function bytesOf(value: Uint8Array | string | null | undefined): Buffer | null {
  return value === null || value === undefined ? null : Buffer.from(value as Uint8Array);
}

function asReceived(values: Uint8Array | string | readonly (Uint8Array | string)[] | undefined): Buffer | Buffer[] {
  const all = [values ?? []].flat().map((value) => Buffer.from(value as Uint8Array));
  const [first] = all;
  return all.length === 1 && first !== undefined ? first : all;
}
