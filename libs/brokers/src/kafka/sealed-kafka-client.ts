import { Logger } from '@nestjs/common';
import { ClientKafka } from '@nestjs/microservices';
import type { OutgoingEvent, ReadPacket, WritePacket } from '@nestjs/microservices';

import { traceEvent, traceRequest } from '../handler/traced-calls.js';
import { ClientRequests } from '../pubsub/client-requests.js';
import type { Refusals } from '../seal/refusals.js';
import { SealedSession } from '../seal/sealed-session.js';
import { openedDelivery, whenMade } from './kafka-library.js';
import type { KafkaDelivery } from './kafka-library.js';
import type { SealedKafkaOptions } from './sealed-kafka-server.js';
import { SealedKafka } from './sealed-producer.js';
import type { Seal } from './sealed-producer.js';

/** Nest's Kafka client, which in the mode `seal` seals messages and opens answers: `customClass: SealedKafkaClient`. */
export class SealedKafkaClient extends ClientKafka {
  readonly #session: SealedSession;
  readonly #requests: ClientRequests;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedKafkaOptions) {
    super(options);
    const logger = new Logger(SealedKafkaClient.name);
    this.#session = new SealedSession({ scheme: 'kafka', side: 'client', seal, logger });
    this.#requests = new ClientRequests(this.#session, (topic) => this.getResponsePatternName(topic));
  }

  /** The number of messages that have been refused since the client was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override async connect(): ReturnType<ClientKafka['connect']> {
    await this.#session.start();
    return super.connect();
  }

  /** Returns a promise of a {@link SealedKafka}; Nest 11 expects no promise and gets the object itself. */
  override createClient<T = SealedKafka>(): T & Promise<T> {
    const { openHeaders } = this.#session.settings;
    const seal: Seal = (topic, payload, parts) => this.#requests.seal(topic, payload, parts);
    return whenMade(super.createClient(), (unsealed) => new SealedKafka(unsealed, { seal, openHeaders })) as T &
      Promise<T>;
  }

  /**
   * Returns the function that gets the answers. It never rejects, because otherwise `kafkajs` would deliver the message
   * again and again.
   */
  override createResponseCallback(): (delivery: KafkaDelivery) => Promise<void> {
    const respond = super.createResponseCallback() as (delivery: KafkaDelivery) => Promise<void>;
    return async (delivery) => {
      try {
        const opened = this.#requests.open(delivery.topic, delivery.message.value ?? '');
        if (opened === undefined) return;
        await respond(opened.kind === 'plain' ? delivery : openedDelivery(delivery, opened));
      } catch (error) {
        this.logger.error(error);
      }
    };
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#session.close();
    }
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => unknown): () => void {
    const topic = this.normalizePattern(packet.pattern);
    return traceRequest({ system: 'kafka', pattern: topic }, callback, (traced) =>
      this.#requests.request(
        topic,
        (err) => void traced({ err }),
        () => super.publish(packet, traced),
      ),
    );
  }

  protected override dispatchEvent(packet: OutgoingEvent): Promise<unknown> {
    const topic = this.normalizePattern(packet.pattern);
    return traceEvent({ system: 'kafka', pattern: topic }, () =>
      this.#requests.event(() => super.dispatchEvent(packet)),
    );
  }

  protected override dispatchBatchEvent<Input>(packets: ReadPacket<{ messages: Input[] }>): Promise<unknown> {
    const topic = this.normalizePattern(packets.pattern);
    return traceEvent({ system: 'kafka', pattern: topic }, () =>
      this.#requests.event(() => super.dispatchBatchEvent(packets)),
    );
  }
}
