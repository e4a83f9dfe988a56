import type { SeenMessage, Stranger } from './stranger.js';

export type End = 'client' | 'server';

/**
 * A stranger that is the only way between two brokers: the client is at one, the server at the other. It passes on every
 * message, unless a test has it do something else.
 */
export class Relay {
  /** Returns what is delivered of a message for one end. */
  passOn: (message: SeenMessage, to: End) => readonly SeenMessage[] = (message) => [message];
  readonly #brokers: Readonly<Record<End, Stranger>>;
  readonly #passed = new Set<string>();

  private constructor(brokers: Readonly<Record<End, Stranger>>) {
    this.#brokers = brokers;
  }

  /** @param brokers - A stranger at the broker of each end, which it closes. */
  static async between(brokers: Readonly<Record<End, Stranger>>): Promise<Relay> {
    const relay = new Relay(brokers);
    await brokers.client.watch((message) => relay.#pass(message, 'server'));
    await brokers.server.watch((message) => relay.#pass(message, 'client'));
    return relay;
  }

  /** Resolves when the broker of that end has the message. */
  deliver(message: SeenMessage, to: End): Promise<void> {
    return this.#brokers[to].publish(message);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#brokers).map((broker) => broker.close()));
  }

  #pass(message: SeenMessage, to: End): void {
    // No two sealed messages are equal: this is what it has delivered itself, which some brokers show it.
    const text = Buffer.from(message.data).toString('latin1');
    if (this.#passed.has(text)) return;
    this.#passed.add(text);
    for (const passed of this.passOn(message, to)) void this.deliver(passed, to);
  }
}
