import { EventEmitter } from 'node:events';

import { ClientRedis, ServerRedis } from '@nestjs/microservices';
import { vi } from 'vitest';

export interface RedisMessage {
  readonly channel: string;
  readonly data: string;
}

/** In the place of Redis, of which Nest's classes then need no client library: a test decides what becomes of a message. */
export class FakeRedis {
  /** All messages that were published, in order. */
  readonly published: RedisMessage[] = [];
  /** Called with each of them. Delivers it, unless a test puts another function here. */
  pass = (message: RedisMessage): void => this.deliver(message);
  readonly #connections: FakeRedisConnection[] = [];

  /** Until the mocks of vitest are restored. */
  static install(): FakeRedis {
    const redis = new FakeRedis();
    vi.spyOn(ServerRedis.prototype, 'createRedisClient').mockImplementation(() => Promise.resolve(redis.#connect()));
    vi.spyOn(ClientRedis.prototype, 'createClient').mockImplementation(() => Promise.resolve(redis.#connect()));
    return redis;
  }

  /** Gives a message to all subscribers of its channel. */
  deliver({ channel, data }: RedisMessage): void {
    for (const connection of this.#connections) connection.receive(channel, data);
  }

  #connect(): FakeRedisConnection {
    const connection = new FakeRedisConnection((message) => {
      this.published.push(message);
      this.pass(message);
    });
    this.#connections.push(connection);
    return connection;
  }
}

/** The part of `ioredis` that Nest uses. */
class FakeRedisConnection extends EventEmitter {
  readonly #channels = new Set<string>();
  readonly #publish: (message: RedisMessage) => void;

  constructor(publish: (message: RedisMessage) => void) {
    super();
    this.#publish = publish;
  }

  connect(): Promise<void> {
    this.emit('ready');
    return Promise.resolve();
  }

  subscribe(channel: string, callback?: () => void): void {
    this.#channels.add(channel);
    callback?.();
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
  }

  publish(channel: string, data: string, callback?: () => void): Promise<number> {
    this.#publish({ channel, data });
    callback?.();
    return Promise.resolve(1);
  }

  quit(): Promise<void> {
    this.#channels.clear();
    return Promise.resolve();
  }

  receive(channel: string, data: string): void {
    if (this.#channels.has(channel)) this.emit('message', channel, data);
  }
}
