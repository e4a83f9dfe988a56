// The part that is used of `ioredis`, which is not imported: Nest loads it.

export interface RedisConnection {
  /** Publishes a message. The library counts the arguments, so it would send a callback that is undefined. */
  publish(
    channel: string,
    message: Uint8Array | string,
    ...callback: readonly ((...result: never[]) => void)[]
  ): unknown;
}

/**
 * Calls `then` with a connection. Nest 12 has a promise of it, Nest 11 the connection itself.
 *
 * @returns What `then` returns, in the same form.
 */
export function whenMade(made: unknown, then: (connection: RedisConnection) => RedisConnection): unknown {
  return made instanceof Promise ? made.then(then) : then(made as RedisConnection);
}
