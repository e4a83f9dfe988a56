import { EnvelopeError } from '../errors.js';
import type { ReplayStore } from './replay-store.js';

/** A client of `ioredis`. */
export interface IoRedis {
  /** Sends one command to Redis, and resolves with its answer. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A client of `redis` (node-redis). */
export interface NodeRedis {
  /** Sends one command to Redis, and resolves with its answer. */
  sendCommand(args: string[]): Promise<unknown>;
}

/**
 * Claims ids with `SET … NX PX` of Redis. With Redis replicas, a failover can lose the latest claims.
 */
export class RedisReplayStore implements ReplayStore {
  readonly #send: (command: string, ...args: string[]) => Promise<unknown>;
  readonly #prefix: string;

  /**
   * @param client - Connected, and never closed by this object. Its command timeout also limits `claim`.
   * @param prefix - The prefix of the keys in Redis. Use one for each group of processes that share the work, so that
   *   only one of them handles each message.
   */
  constructor(client: IoRedis | NodeRedis, prefix = 'sealwire:jti:') {
    this.#send =
      'call' in client ? (...command) => client.call(...command) : (...command) => client.sendCommand(command);
    this.#prefix = prefix;
  }

  /** @throws {EnvelopeError} `ERR_ENVELOPE_STORE` - Redis failed; `cause` is its error. */
  async claim(id: string, ttlMs: number): Promise<boolean> {
    try {
      const reply = await this.#send('SET', `${this.#prefix}${id}`, '', 'NX', 'PX', String(Math.ceil(ttlMs)));
      return reply !== null; // `OK`, as a string or as a buffer
    } catch (cause) {
      throw new EnvelopeError(
        'ERR_ENVELOPE_STORE',
        'The replay store failed: Redis did not confirm the claim of a message id',
        { cause },
      );
    }
  }
}
