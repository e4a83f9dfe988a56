// The part that is used of `kafkajs`, which is not imported: Nest loads it.
import type { ServerKafka } from '@nestjs/microservices';

import { groupedByName } from '../seal/inner-message.js';
import type { HeaderEntry, InnerParts } from '../seal/inner-message.js';
import type { SealedMessage } from '../seal/seals.js';

type Bytes = Uint8Array | string;

export type KafkaHeaders = Readonly<Record<string, Bytes | readonly Bytes[] | undefined>>;

/** A message that is sent. */
export interface KafkaMessage {
  readonly key?: Bytes | null | undefined;
  readonly value: Bytes | null;
  readonly headers?: KafkaHeaders | undefined;
  readonly partition?: number | undefined;
  readonly timestamp?: string | undefined;
}

/** The messages that are sent to one topic. */
export interface KafkaTopicMessages {
  readonly topic: string;
  readonly messages: readonly KafkaMessage[];
}

/** A producer of `kafkajs`. */
export interface KafkaProducer {
  /** The names of the events, for `on`. */
  readonly events: unknown;
  /** Adds a listener of one of `events`. */
  on(event: string, listener: (event: unknown) => void): unknown;
  /** Connects to the broker. */
  connect(): Promise<void>;
  /** Closes the connections to the broker. */
  disconnect(): Promise<void>;
  /** Sends messages to one topic. */
  send(record: KafkaTopicMessages): Promise<unknown>;
  /** Sends messages to several topics. */
  sendBatch(batch: { readonly topicMessages?: readonly KafkaTopicMessages[] }): Promise<unknown>;
}

/** The client of `kafkajs`. */
export interface Kafka {
  /** Creates a consumer. */
  consumer(options: unknown): unknown;
  /** Creates a producer. */
  producer(options?: unknown): KafkaProducer;
}

/** A message as `kafkajs` delivers it. */
export type KafkaDelivery = Parameters<ServerKafka['handleMessage']>[0];

/**
 * Calls `then` with a client. Nest 12 has a promise of it, Nest 11 the client itself.
 *
 * @returns What `then` returns, in the same form.
 */
export function whenMade(made: unknown, then: (client: Kafka) => object): unknown {
  return made instanceof Promise ? made.then(then) : then(made as Kafka);
}

/** In the place of the value of a message without one: bytes cannot stand for it. */
const NO_VALUE = 'null';

/** Returns the parts of a message that are sealed together with its value. */
export function innerParts({ key, value, headers = {} }: KafkaMessage): InnerParts {
  const properties: readonly HeaderEntry[] = [
    ...(isGiven(key) ? [['key', encoded(key)] as const] : []),
    ...(isGiven(value) ? [] : [['value', NO_VALUE] as const]),
  ];
  const entries = Object.entries(headers).flatMap(([name, values]) =>
    [values]
      .flat()
      .filter(isGiven)
      .map((bytes): HeaderEntry => [name, encoded(bytes)]),
  );
  return { headers: entries, ...(properties.length > 0 && { properties }) };
}

/**
 * Returns a message as the broker sees it. Partitions are chosen by the key.
 *
 * @param openNames - The headers that are also sent in the clear, in lower case.
 */
export function outerMessage(
  { key, partition, timestamp, headers = {} }: KafkaMessage,
  envelope: string,
  openNames: readonly string[],
): KafkaMessage {
  const open = Object.entries(headers).filter(([name]) => openNames.includes(name.toLowerCase()));
  return { key, partition, timestamp, value: envelope, headers: Object.fromEntries(open) };
}

/** Returns a delivery with the sealed topic, key, value and headers in the place of those that the broker gave. */
export function openedDelivery(delivery: KafkaDelivery, { subject, head, payload }: SealedMessage): KafkaDelivery {
  const { key, value } = Object.fromEntries(head.properties ?? []);
  const message = { ...delivery.message };
  const headers = (head.headers ?? []).map(([name, text]) => [name, decoded(text)] as const);
  const opened = {
    key: key === undefined ? null : decoded(key),
    value: value === NO_VALUE ? null : payload,
    headers: groupedByName(headers),
  };
  return { ...delivery, topic: subject, message: Object.assign(message, opened) };
}

/** Returns the value of a sealed header as text. */
export function readHeader(value: string): string {
  return decoded(value).toString();
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

function encoded(bytes: Bytes): string {
  return Buffer.from(bytes as Uint8Array).toString('base64url');
}

function decoded(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}
