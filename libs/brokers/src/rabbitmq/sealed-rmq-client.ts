import { Logger } from '@nestjs/common';
import { ClientRMQ } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';

import { answerIncomplete } from '../errors.js';
import { traceEvent, traceRequest } from '../handler/traced-calls.js';
import { AwaitedAnswers } from '../seal/awaited-answers.js';
import type { Refusals } from '../seal/refusals.js';
import { SealedSession } from '../seal/sealed-session.js';
import { SealedRmqClientConnection } from './client-connection.js';
import type { RmqManager } from './rmq-library.js';
import type { SealedRmqOptions } from './sealed-rmq-server.js';

type RmqPacket = ReadPacket & { id?: string };
type Callback = (packet: WritePacket) => unknown;

/** Nest's RabbitMQ client, which in the mode `seal` seals messages and opens answers: `customClass: SealedRmqClient`. */
export class SealedRmqClient extends ClientRMQ {
  readonly #session: SealedSession;
  readonly #awaited = new AwaitedAnswers();
  /** The callbacks of the requests, by correlation id. */
  readonly #callbacks = new Map<string, Callback>();

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedRmqOptions) {
    super(options);
    const logger = new Logger(SealedRmqClient.name);
    this.#session = new SealedSession({ scheme: 'rabbitmq', side: 'client', seal, logger });
  }

  /** The number of messages that have been refused since the client was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override async connect(): Promise<unknown> {
    await this.#session.start();
    try {
      return (await super.connect()) as unknown;
    } catch (error) {
      // Nest 12 gives up. Nest 11, and a client that was connected before, go on with trying.
      if (this.client === null) this.#session.close();
      throw error;
    }
  }

  /** Creates a connection that seals what it publishes and opens what it consumes. */
  override createClient(): SealedRmqClientConnection {
    return new SealedRmqClientConnection({
      unsealed: super.createClient() as RmqManager,
      seals: this.#session.seals,
      onFailed: (error) => this.logger.error(error),
      awaited: this.#awaited,
      onIncomplete: (id) => this.#callbacks.get(id)?.({ err: answerIncomplete() }),
    });
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#session.close();
    }
  }

  protected override publish(packet: RmqPacket, callback: Callback): () => void {
    return traceRequest(this.#callTo(packet.pattern), callback, (traced) => this.#publish(packet, traced));
  }

  protected override dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    return traceEvent(this.#callTo(packet.pattern), () => super.dispatchEvent(packet) as Promise<T>);
  }

  #callTo(pattern: ReadPacket['pattern']) {
    const { wildcards = false, exchangeType, exchange = this.queue } = this.options;
    const destination = wildcards || exchangeType === 'fanout' ? exchange : this.queue; // where Nest sends it
    return { system: 'rabbitmq', pattern: this.normalizePattern(pattern), destination };
  }

  #publish(packet: RmqPacket, callback: Callback): () => void {
    const end = super.publish(packet, callback);
    const { id = '' } = packet; // the correlation id, which Nest has added
    this.#callbacks.set(id, callback);
    return () => {
      this.#callbacks.delete(id);
      this.#awaited.delete(id);
      end();
    };
  }
}
