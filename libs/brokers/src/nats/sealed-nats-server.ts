import { Logger } from '@nestjs/common';
import { ServerNats } from '@nestjs/microservices';
import type { MessageHandler, NatsContext, NatsOptions } from '@nestjs/microservices';

import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealedContext } from '../handler/sealed-context.js';
import type { Refusals } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import type { NatsConnection } from './nats-library.js';
import { SealedServerConnection } from './server-connection.js';

/** The options of Nest's NATS transport, and those for sealing. */
export type SealedNatsOptions = Required<NatsOptions>['options'] & { readonly seal: SealOptions };

/** The context of a handler: `@Ctx() context: SealedNatsContext`. */
export type SealedNatsContext = NatsContext & SealedContext;

/**
 * Nest's NATS server, which opens every message and seals every answer. In the mode `seal`, messages that cannot be
 * opened reach no handler; see {@link refusals}.
 */
export class SealedNatsServer extends ServerNats {
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedNatsOptions) {
    super(options);
    const logger = new Logger(SealedNatsServer.name);
    this.#session = new SealedSession({ scheme: 'nats', side: 'server', seal, logger });
    this.#calls = new SealedCalls(this.#session);
  }

  /** The number of messages that have been refused since the server was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override createNatsClient(): Promise<SealedServerConnection> {
    return this.#session.open(async (seals) => {
      const unsealed = (await super.createNatsClient()) as NatsConnection;
      return new SealedServerConnection({ unsealed, seals, calls: this.#calls, logger: this.logger });
    });
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
