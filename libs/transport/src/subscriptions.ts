import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { guarded } from '@sealwire/crypto/internal';

/** Listeners of channels of `node:diagnostics_channel`, which end together. */
export class Subscriptions {
  readonly #ends: (() => void)[] = [];

  /** Calls the listener with each message of a channel. If it throws, the process emits a warning instead of ending. */
  on<Message>(channel: string, listener: (message: Message) => void): void {
    const receive = guarded(`A listener of ${channel}`, (message: unknown) => listener(message as Message));
    subscribe(channel, receive);
    this.#ends.push(() => unsubscribe(channel, receive));
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
