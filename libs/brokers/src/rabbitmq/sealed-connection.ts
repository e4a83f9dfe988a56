import type { Seals } from '../seal/seals.js';
import { withConsumer } from './rmq-library.js';
import type {
  RmqCallback,
  RmqChannel,
  RmqChannelWrapper,
  RmqConsumeOptions,
  RmqListener,
  RmqManager,
  RmqMessage,
  SealedRmqChannel,
} from './rmq-library.js';
import { SealedSender } from './sealed-sender.js';

export interface SealedConnectionOptions {
  readonly unsealed: RmqManager;
  readonly seals: Seals;
  readonly onFailed: (error: unknown) => void;
}

export interface SealedChannelOptions {
  readonly json: boolean;
  readonly setup: (channel: SealedRmqChannel) => Promise<void>;
}

/** A consumer of Nest. */
export interface Consumer {
  readonly channel: RmqChannel;
  readonly queue: string;
  readonly callback: RmqCallback;
  readonly noAck: boolean;
}

/** The part of a connection to RabbitMQ that Nest uses. It seals all that it sends, and opens all that it receives. */
export abstract class SealedConnection {
  /** The connection of the client library, which seals nothing. */
  readonly unsealed: RmqManager;
  protected readonly seals: Seals;
  protected readonly onFailed: (error: unknown) => void;

  constructor({ unsealed, seals, onFailed }: SealedConnectionOptions) {
    this.unsealed = unsealed;
    this.seals = seals;
    this.onFailed = onFailed;
  }

  /** Creates a channel. Calls `setup` after each connect. */
  createChannel({ json, setup }: SealedChannelOptions): SealedSender {
    const unsealed = this.unsealed.createChannel({
      json,
      setup: (channel) => {
        // Without a listener an error of a channel, which the broker can cause, would end the process.
        channel.on('error', this.onFailed);
        return setup(
          withConsumer(channel, (queue, callback, options) => this.#consume(channel, queue, callback, options)),
        );
      },
    });
    unsealed.on('error', this.onFailed);
    return this.wrap(unsealed);
  }

  /** Adds a listener to the connection of the RabbitMQ library. */
  on(event: string, listener: RmqListener): void {
    this.unsealed.on(event, listener);
  }

  /** Adds a listener that is called once. */
  once(event: string, listener: RmqListener): void {
    this.unsealed.once(event, listener);
  }

  /** Adds a listener, as `on` does. */
  addListener(event: string, listener: RmqListener): void {
    this.unsealed.addListener(event, listener);
  }

  /** Removes a listener. */
  removeListener(event: string, listener: RmqListener): void {
    this.unsealed.removeListener(event, listener);
  }

  /** Closes the connection of the RabbitMQ library. */
  close(): Promise<void> {
    return this.unsealed.close();
  }

  /** Returns the channel with which Nest sends. */
  protected abstract wrap(unsealed: RmqChannelWrapper): SealedSender;

  /** Called with each message. It never throws. */
  protected abstract receive(consumer: Consumer, message: RmqMessage | null): void;

  #consume(channel: RmqChannel, queue: string, callback: RmqCallback, options: RmqConsumeOptions = {}): unknown {
    const consumer: Consumer = { channel, queue, callback, noAck: options.noAck ?? false };
    return channel.consume(queue, (message) => this.receive(consumer, message), options);
  }
}

/** Refuses a message for good: the broker moves it to the dead letters, if the queue has a place for them. */
export function drop({ channel }: Consumer, message: RmqMessage, onFailed: (error: unknown) => void): void {
  try {
    channel.nack(message, false, false);
  } catch (error) {
    onFailed(error); // the channel is closed: the broker delivers the message again
  }
}
