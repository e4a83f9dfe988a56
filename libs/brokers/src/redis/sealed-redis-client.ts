import { Logger } from '@nestjs/common';
import { ClientRedis } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';

import { CallTrace } from '../call-trace.js';
import { traceEvent, traceRequest } from '../handler/traced-calls.js';
import { ClientRequests } from '../pubsub/client-requests.js';
import type { Refusals } from '../seal/refusals.js';
import { SealedSession } from '../seal/sealed-session.js';
import { whenMade } from './redis-library.js';
import type { RedisConnection } from './redis-library.js';
import type { SealedRedisOptions } from './sealed-redis-server.js';

/** Nest's Redis client, which in the mode `seal` seals messages and opens answers: `customClass: SealedRedisClient`. */
export class SealedRedisClient extends ClientRedis {
  readonly #session: SealedSession;
  readonly #requests: ClientRequests;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedRedisOptions) {
    super(options);
    const logger = new Logger(SealedRedisClient.name);
    this.#session = new SealedSession({ scheme: 'redis', side: 'client', seal, logger });
    this.#requests = new ClientRequests(this.#session, (channel) => this.getReplyPattern(channel));
  }

  /** The number of messages that have been refused since the client was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override async connect(): Promise<unknown> {
    await this.#session.start();
    return super.connect();
  }

  /** Creates a connection of `ioredis` whose `publish` seals. */
  override createClient(): Promise<unknown> {
    return whenMade(super.createClient(), (connection) => this.#sealing(connection)) as Promise<unknown>;
  }

  /** Returns the function that receives every answer, and opens it first. */
  override createResponseCallback(): (channel: string, data: string) => Promise<void> {
    const respond = super.createResponseCallback();
    // Buffers with the option `returnBuffers`.
    return async (channel: Buffer | string, data: Buffer | string) => {
      try {
        const opened = this.#requests.open(channel.toString(), data);
        if (opened === undefined) return;
        const payload = opened.kind === 'plain' ? data : opened.payload;
        await respond(channel.toString(), (typeof data === 'string' ? payload.toString() : payload) as string);
      } catch (error) {
        this.logger.error(error);
      }
    };
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
      // Nest 11 does not, and then a client that connects again gets no answers.
      this.wasInitialConnectionSuccessful = false;
    } finally {
      this.#session.close();
    }
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => unknown): () => void {
    const name = this.normalizePattern(packet.pattern);
    return traceRequest({ system: 'redis', pattern: name }, callback, (traced) =>
      this.#requests.request(
        name,
        (err) => void traced({ err }),
        () => super.publish(packet, traced),
      ),
    );
  }

  protected override dispatchEvent(packet: ReadPacket): Promise<unknown> {
    const name = this.normalizePattern(packet.pattern);
    return traceEvent({ system: 'redis', pattern: name }, () =>
      this.#requests.event(() => super.dispatchEvent(packet)),
    );
  }

  #sealing(connection: RedisConnection): RedisConnection {
    const unsealed = connection.publish.bind(connection);
    const publish: RedisConnection['publish'] = (channel, message, ...callback) => {
      const attached = CallTrace.current?.withAttached<string>(undefined);
      const parts = attached && { headers: Object.entries(attached) };
      return this.#requests.publish(channel, message, (data) => unsealed(channel, data, ...callback), parts);
    };
    return Object.assign(connection, { publish });
  }
}
