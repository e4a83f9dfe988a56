import { CallTrace } from '../call-trace.js';
import type { InnerParts } from '../seal/inner-message.js';
import { innerParts, outerMessage } from './kafka-library.js';
import type { Kafka, KafkaMessage, KafkaProducer, KafkaTopicMessages } from './kafka-library.js';

/** Returns an envelope; undefined if the message is sent as it is. */
export type Seal = (topic: string, payload: Uint8Array | string, parts: InnerParts) => string | undefined;

export interface SealingOptions {
  readonly seal: Seal;
  /** The names, in lower case, of the headers that are also sent in the clear. */
  readonly openHeaders: readonly string[];
}

/** A producer of `kafkajs` that seals all that it sends. */
export class SealedProducer {
  /** The producer of the client library, which seals nothing. */
  readonly unsealed: KafkaProducer;
  readonly events: unknown;
  readonly #options: SealingOptions;

  constructor(unsealed: KafkaProducer, options: SealingOptions) {
    this.unsealed = unsealed;
    this.events = unsealed.events;
    this.#options = options;
  }

  /** Adds a listener to the producer of the client library. */
  on(event: string, listener: (event: unknown) => void): unknown {
    return this.unsealed.on(event, listener);
  }

  /** Connects to the broker. Rejects with the error of `kafkajs`. */
  connect(): Promise<void> {
    return this.unsealed.connect();
  }

  /** Closes the connections to the broker. */
  disconnect(): Promise<void> {
    return this.unsealed.disconnect();
  }

  /**
   * Seals messages and sends them. Rejects with the error of `kafkajs`. Rejects before anything is sent with
   * `ERR_KEYRING_NO_PRIMARY` (`CryptoError`), `ERR_ENVELOPE_HEADER` or `ERR_ENVELOPE_TOO_LARGE` (`EnvelopeError`).
   */
  async send(record: KafkaTopicMessages): Promise<unknown> {
    return this.unsealed.send(this.#sealed(record));
  }

  /** Seals messages for several topics and sends them. Rejects with the same errors as {@link send}. */
  async sendBatch({ topicMessages = [], ...options }: Parameters<KafkaProducer['sendBatch']>[0]): Promise<unknown> {
    return this.unsealed.sendBatch({ ...options, topicMessages: topicMessages.map((one) => this.#sealed(one)) });
  }

  #sealed({ topic, messages, ...options }: KafkaTopicMessages): KafkaTopicMessages {
    const call = CallTrace.current; // also of all messages of a batch
    const seal = (message: KafkaMessage) => this.#sealedMessage(topic, message, call);
    return { ...options, topic, messages: messages.map(seal) };
  }

  #sealedMessage(topic: string, message: KafkaMessage, call: CallTrace | undefined): KafkaMessage {
    const sent = { ...message, headers: call?.withAttached(message.headers) ?? message.headers };
    const envelope = this.#options.seal(topic, message.value ?? '', innerParts(sent));
    return envelope === undefined ? message : outerMessage(sent, envelope, this.#options.openHeaders);
  }
}

/** The part of the client of `kafkajs` that Nest uses. Its producers seal; its consumers do not open. */
export class SealedKafka {
  /** The client of the library, which seals nothing. */
  readonly unsealed: Kafka;
  readonly #options: SealingOptions;

  constructor(unsealed: Kafka, options: SealingOptions) {
    this.unsealed = unsealed;
    this.#options = options;
  }

  /** Returns a consumer of the client library. It delivers sealed messages. */
  consumer(options: unknown): unknown {
    return this.unsealed.consumer(options);
  }

  /** Returns a producer that seals all that it sends. */
  producer(options?: unknown): SealedProducer {
    return new SealedProducer(this.unsealed.producer(options), this.#options);
  }
}
