import type { NatsMessage } from '@sealwire/brokers';

import { ForwardedNatsConnection } from '../../../channel/forwarded-nats-connection.js';
import type { Published } from '../../../channel/forwarded-nats-connection.js';

/** A connection to a broker on which envelopes can be changed, as the broker itself could. */
export class AttackedNatsConnection extends ForwardedNatsConnection {
  #changeNext: ((published: Published) => Published) | undefined;
  #drops: ((message: NatsMessage) => boolean) | undefined;
  #received = 0;

  /** The number of answers that have arrived, including those that were dropped. */
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

  override publish(...published: Published): void {
    const change = this.#changeNext;
    this.#changeNext = undefined;
    super.publish(...(change === undefined ? published : change(published)));
  }

  protected override receive(message: NatsMessage, forward: () => unknown): unknown {
    this.#received++;
    if (this.#drops?.(message) !== true) return forward();
    this.#drops = undefined;
    return undefined;
  }
}
