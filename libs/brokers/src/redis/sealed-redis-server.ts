import { Logger } from '@nestjs/common';
import { ServerRedis } from '@nestjs/microservices';
import type { MessageHandler, RedisContext, RedisOptions } from '@nestjs/microservices';

import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealedContext } from '../handler/sealed-context.js';
import { safely } from '../pubsub/answer-sealer.js';
import type { Respond, AnswerSealer } from '../pubsub/answer-sealer.js';
import { ServerIntake } from '../pubsub/server-intake.js';
import type { Refusals } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import type { RedisConnection } from './redis-library.js';

/**
 * The options of Nest's Redis transport, and those for sealing. Redis does not rename channels and has no
 * headers, so `bind` and `traceparent` do not exist.
 */
export type SealedRedisOptions = Required<RedisOptions>['options'] & {
  readonly seal: Omit<SealOptions, 'bind' | 'traceparent'>;
};

/** The context of a handler: `@Ctx() context: SealedRedisContext`. */
export type SealedRedisContext = RedisContext & SealedContext;

type Listened = Parameters<ServerRedis['listen']>[0];

/**
 * Nest's Redis server, which opens every message and seals every answer. In the mode `seal`, messages that cannot be
 * opened reach no handler; see {@link refusals}.
 */
export class SealedRedisServer extends ServerRedis {
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;
  readonly #intake: ServerIntake;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedRedisOptions) {
    super(options);
    const logger = new Logger(SealedRedisServer.name);
    const session = new SealedSession({ scheme: 'redis', side: 'server', seal, logger });
    this.#session = session;
    this.#calls = new SealedCalls(session);
    const onFailed = (error: unknown): void => void this.logger.error(error);
    this.#intake = new ServerIntake({ session, calls: this.#calls, onFailed });
  }

  /** The number of messages that have been refused since the server was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Fails with the `CryptoError` of the key file. */
  override async listen(callback: Listened): Promise<void> {
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

  /**
   * Opens a message, and passes it to Nest. Never rejects.
   *
   * @param subscribed - The channel, or the pattern if the option `wildcards` is set.
   * @param channel - The channel to which the message was published.
   */
  override handleMessage(subscribed: string, data: string, pub: RedisConnection, channel: string): Promise<void> {
    const arrival = { subscription: subscribed, subject: channel, bound: channel, data };
    return this.#intake.receive(arrival, {
      plain: () => super.handleMessage(subscribed, data, pub, channel),
      sealed: ({ payload }, answer) =>
        super.handleMessage(subscribed, payload.toString(), answerOn(pub, answer), channel),
    });
  }

  /** Returns the function that answers a request; a failure to seal or to send is logged. */
  override getPublisher(...to: Parameters<ServerRedis['getPublisher']>): Respond {
    return safely(super.getPublisher(...to), (error) => void this.logger.error(error));
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
}

/** Returns a connection for one answer, which sends nothing if the sender has not asked for an answer. */
function answerOn(connection: RedisConnection, answer: AnswerSealer | undefined): RedisConnection {
  return { publish: (channel, text) => answer && connection.publish(channel, answer.seal(text)) };
}
