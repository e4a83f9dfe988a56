import type { NatsConnection, NatsMessage } from '@sealwire/brokers';

/** An envelope on its way to the broker: the arguments of `publish`. */
export type Published = Parameters<NatsConnection['publish']>;

type Subscribe = Parameters<NatsConnection['subscribe']>;

/** A connection to a NATS server that forwards everything. A subclass may look at messages, and change them. */
export class ForwardedNatsConnection implements NatsConnection {
  readonly #connection: NatsConnection;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  get info(): NatsConnection['info'] {
    return this.#connection.info;
  }

  publish(...published: Published): void {
    this.#connection.publish(...published);
  }

  subscribe(...[subject, { callback, ...options }]: Subscribe): ReturnType<NatsConnection['subscribe']> {
    return this.#connection.subscribe(subject, {
      ...options,
      callback: (error, message) =>
        error === null ? this.receive(message, () => callback(null, message)) : callback(error, message),
    });
  }

  status(): AsyncIterable<unknown> {
    return this.#connection.status();
  }

  rtt(): Promise<number> {
    return this.#connection.rtt();
  }

  flush(): Promise<void> {
    return this.#connection.flush();
  }

  drain(): Promise<void> {
    return this.#connection.drain();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** @param forward - Hands the message to its subscriber. */
  protected receive(_message: NatsMessage, forward: () => unknown): unknown {
    return forward();
  }
}
