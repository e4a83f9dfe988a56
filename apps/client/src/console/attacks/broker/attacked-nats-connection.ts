import type { NatsConnection, NatsMessage } from '@sealwire/brokers';

type Subscribe = Parameters<NatsConnection['subscribe']>;

/** An envelope on its way to the broker: the arguments of `publish`. */
export type Published = Parameters<NatsConnection['publish']>;

/** A connection to a broker on which envelopes can be changed, as the broker itself could. */
export class AttackedNatsConnection implements NatsConnection {
  readonly #connection: NatsConnection;
  #changeNext: ((published: Published) => Published) | undefined;
  #drops: ((message: NatsMessage) => boolean) | undefined;
  /** The number of answers that have arrived, including those that were dropped. */
  #received = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  get info(): NatsConnection['info'] {
    return this.#connection.info;
  }

  get received(): number {
    return this.#received;
  }

  /** Applies a change to the next message that is published. */
  changeNext(change: (published: Published) => Published): void {
    this.#changeNext = change;
  }

  /** Drops the first answer for which `drops` returns true. */
  dropOne(drops: (message: NatsMessage) => boolean): void {
    this.#drops = drops;
  }

  publish(...published: Published): void {
    const change = this.#changeNext;
    this.#changeNext = undefined;
    this.#connection.publish(...(change === undefined ? published : change(published)));
  }

  subscribe(...[subject, { callback, ...options }]: Subscribe): ReturnType<NatsConnection['subscribe']> {
    return this.#connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error !== null) return callback(error, message);
        this.#received++;
        if (this.#drops?.(message) === true) {
          this.#drops = undefined;
          return undefined;
        }
        return callback(error, message);
      },
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
}
