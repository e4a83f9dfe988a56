import { AsyncLocalStorage } from 'node:async_hooks';

import { Logger } from '@nestjs/common';
import { ServerKafka } from '@nestjs/microservices';
import type { KafkaContext, KafkaOptions, MessageHandler } from '@nestjs/microservices';
import { checkOption, FLAG } from '@sealwire/channel/internal';

import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealedContext } from '../handler/sealed-context.js';
import { safely } from '../pubsub/answer-sealer.js';
import type { AnswerSealer } from '../pubsub/answer-sealer.js';
import { ServerIntake } from '../pubsub/server-intake.js';
import type { Refusals } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import { FailedMessages } from './failed-messages.js';
import type { Handle } from './failed-messages.js';
import { openedDelivery, readHeader, whenMade } from './kafka-library.js';
import type { KafkaDelivery } from './kafka-library.js';
import { SealedKafka } from './sealed-producer.js';
import type { Seal } from './sealed-producer.js';

/** The options of Nest's Kafka transport, and those for sealing. */
export type SealedKafkaOptions = Required<KafkaOptions>['options'] & {
  readonly seal: SealOptions;
  /**
   * Whether the server accepts old and repeated events, which Kafka delivers after a restart. If true, the server checks
   * neither the age of an event nor whether it is a replay, and does not use `replayStore` for it, so a handler must
   * compare `getPeer().messageId` with the ids that it has handled. Default: false.
   */
  readonly durableEvents?: boolean;
};

/** The context of a handler: `@Ctx() context: SealedKafkaContext`. */
export type SealedKafkaContext = KafkaContext & SealedContext;

type Publisher = ReturnType<ServerKafka['getPublisher']>;

/**
 * Nest's Kafka server, which opens every message and seals every answer. In the mode `seal`, messages that cannot be
 * opened reach no handler, and do not stop the others of their partition; see {@link refusals}.
 */
export class SealedKafkaServer extends ServerKafka {
  readonly #durableEvents: boolean;
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;
  readonly #intake: ServerIntake;
  readonly #failed = new FailedMessages();
  /** The answer that the sealed message of this async context expects. */
  readonly #expected = new AsyncLocalStorage<{ readonly answer: AnswerSealer | undefined }>();
  /** The answer of which a value is sent in this async context. Handlers send messages of their own in the other one. */
  readonly #sent = new AsyncLocalStorage<AnswerSealer>();

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, durableEvents = false, ...options }: SealedKafkaOptions) {
    super(options);
    checkOption('durableEvents', durableEvents, FLAG);
    this.#durableEvents = durableEvents;
    const logger = new Logger(SealedKafkaServer.name);
    const session = new SealedSession({ scheme: 'kafka', side: 'server', seal, logger });
    this.#session = session;
    this.#calls = new SealedCalls(session, readHeader);
    this.#intake = new ServerIntake({ session, calls: this.#calls, onFailed: (error) => this.#onFailed(error) });
  }

  /** The number of messages that have been refused since the server was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Fails with the `CryptoError` of the key file. */
  override async listen(callback: Parameters<ServerKafka['listen']>[0]): Promise<void> {
    try {
      await this.#session.start();
    } catch (error) {
      callback(error);
      return;
    }
    await super.listen((error, ...others) => {
      if (error !== undefined) this.#session.close();
      callback(error, ...others);
    });
  }

  /** Returns a promise of a {@link SealedKafka}; Nest 11 expects no promise and gets the object itself. */
  override createClient<T = SealedKafka>(): T & Promise<T> {
    const { openHeaders } = this.#session.settings;
    const seal: Seal = (topic, payload, parts) => this.#seal(topic, payload, parts);
    return whenMade(super.createClient(), (unsealed) => new SealedKafka(unsealed, { seal, openHeaders })) as T &
      Promise<T>;
  }

  /** Opens a message, and passes it to Nest. Rejects only if Nest does; `kafkajs` then delivers the message again. */
  override async handleMessage(delivery: KafkaDelivery): Promise<void> {
    const handle = this.#failed.take(delivery) ?? (await this.#accept(delivery));
    try {
      await handle?.(delivery);
    } catch (error) {
      if (handle !== undefined) this.#failed.add(delivery, handle);
      throw error;
    }
  }

  /** Returns the function that answers a request; a failure to seal or to send is logged. */
  override getPublisher(...to: Parameters<ServerKafka['getPublisher']>): Publisher {
    const publish = super.getPublisher(...to);
    const expected = this.#expected.getStore();
    const onFailed = (error: unknown): void => this.#onFailed(error);
    if (expected === undefined) return safely(publish, onFailed) as Publisher;
    const { answer } = expected;
    if (answer === undefined) return () => Promise.resolve([]);
    return safely((packet) => this.#sent.run(answer, () => publish(packet)), onFailed) as Publisher;
  }

  /** Returns the handler of a pattern, wrapped in the checks of the key and of its patterns. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.#calls.handlerOf(pattern, super.getHandlerByPattern(pattern), this.getHandlers());
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#session.close();
    }
  }

  /** Resolves with a function that passes the message to Nest, if Nest may have it. */
  async #accept({ topic, message }: KafkaDelivery): Promise<Handle | undefined> {
    const { bind } = this.#session.settings;
    const isDurable = this.#isDurable(topic);
    const accepted = await this.#intake.accept({
      subscription: this.groupId,
      subject: topic,
      bound: bind === 'subject' ? topic : undefined,
      accepts: (sealed) =>
        this.#isDurable(sealed) === isDurable && (bind !== 'pattern' || this.#haveOneHandler(topic, sealed)),
      isDurable,
      data: message.value ?? '',
    });
    if (accepted === undefined) return undefined;
    if (accepted.kind === 'plain') return (delivery) => super.handleMessage(delivery);
    const { message: sealed, call, answer } = accepted;
    const handle: Handle = (delivery) => super.handleMessage(openedDelivery(delivery, sealed));
    return (delivery) => this.#calls.run(call, () => this.#expected.run({ answer }, () => handle(delivery)));
  }

  /** Returns whether the messages of a topic are accepted late and again. */
  #isDurable(topic: string): boolean {
    return this.#durableEvents && super.getHandlerByPattern(topic)?.isEventHandler === true;
  }

  #haveOneHandler(topic: string, sealed: string): boolean {
    return super.getHandlerByPattern(topic) === super.getHandlerByPattern(sealed);
  }

  #seal(...[topic, payload, parts]: Parameters<Seal>): string | undefined {
    const answer = this.#sent.getStore();
    if (answer !== undefined) return answer.seal(payload, parts);
    const { seals, settings } = this.#session;
    return settings.isSealing ? seals.seal(topic, parts, payload, seals.primary) : undefined;
  }

  #onFailed(error: unknown): void {
    this.logger.error(error);
  }
}
