import { AsyncLocalStorage } from 'node:async_hooks';

import { Logger } from '@nestjs/common';
import { ServerRMQ } from '@nestjs/microservices';
import type { MessageHandler, RmqContext, RmqOptions } from '@nestjs/microservices';

import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealedContext } from '../handler/sealed-context.js';
import type { Refusals } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import type { RmqManager } from './rmq-library.js';
import { readHeader } from './rmq-properties.js';
import { SealedRmqServerConnection } from './server-connection.js';

/** The options of Nest's RabbitMQ transport, and those for sealing. */
export type SealedRmqOptions = Required<RmqOptions>['options'] & { readonly seal: SealOptions };

/** The context of a handler: `@Ctx() context: SealedRmqContext`. */
export type SealedRmqContext = RmqContext & SealedContext;

/**
 * Nest's RabbitMQ server, which opens every message and seals every answer. In the mode `seal`, messages that cannot
 * be opened reach no handler; see {@link refusals}.
 */
export class SealedRmqServer extends ServerRMQ {
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;
  readonly #answering = new AsyncLocalStorage<unknown>();

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedRmqOptions) {
    super(options);
    const logger = new Logger(SealedRmqServer.name);
    this.#session = new SealedSession({ scheme: 'rabbitmq', side: 'server', seal, logger });
    this.#calls = new SealedCalls(this.#session, readHeader);
  }

  /** The number of messages that have been refused since the server was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override async start(callback?: (error?: unknown, ...values: unknown[]) => void): Promise<void> {
    await this.#session.start();
    await super.start(callback);
  }

  /** Returns a promise of a {@link SealedRmqServerConnection}; Nest 11 expects no promise and gets the object itself. */
  override createClient<T = SealedRmqServerConnection>(): T & Promise<T> {
    const seal = (unsealed: unknown): SealedRmqServerConnection =>
      new SealedRmqServerConnection({
        unsealed: unsealed as RmqManager,
        seals: this.#session.seals,
        onFailed: (error) => void this.logger.error(error),
        calls: this.#calls,
        answering: this.#answering,
        isDurable: !this.noAck && this.#isDurableQueue(),
      });
    const unsealed: unknown = super.createClient();
    return (unsealed instanceof Promise ? unsealed.then(seal) : seal(unsealed)) as T & Promise<T>;
  }

  /** Returns the handler of a pattern, wrapped in the checks of the key and of its patterns. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    const route = this.getRouteFromPattern(pattern);
    return this.#calls.handlerOf(route, super.getHandlerByPattern(pattern), this.getHandlers());
  }

  /** Sends the answer of a request, sealed for its sender. */
  override sendMessage(...answer: Parameters<ServerRMQ['sendMessage']>): void {
    const [, , , context] = answer;
    this.#answering.run(context.getMessage(), () => super.sendMessage(...answer));
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#session.close();
    }
  }

  /** Queues of RabbitMQ are durable unless the options say otherwise. */
  #isDurableQueue(): boolean {
    const { durable = true, exclusive = false } = this.queueOptions as { durable?: boolean; exclusive?: boolean };
    return durable && !exclusive;
  }
}
