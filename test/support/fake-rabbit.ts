import type {
  RmqCallback,
  RmqChannel,
  RmqChannelWrapper,
  RmqManager,
  RmqMessage,
  RmqSendOptions,
} from '../../libs/brokers/src/rabbitmq/rmq-library.js';

/** The pseudo-queue of a client, whose name the broker replaces in requests. */
const REPLY_QUEUE = 'amq.rabbitmq.reply-to';
const OWN_REPLY_QUEUE = `${REPLY_QUEUE}.own`;

/** A broker in memory that delivers at once, with the exchange without a name alone. A test can make it hostile. */
export class FakeRabbit {
  /** Every message that an end has sent. */
  readonly sent: RmqMessage[] = [];
  /** The messages that an end has refused, and whether each comes back. */
  readonly nacked: (readonly [message: RmqMessage, requeue: unknown])[] = [];
  /** Returns what is delivered of a message. */
  onSend: (message: RmqMessage) => readonly RmqMessage[] = (message) => [message];
  readonly #consumers = new Map<string, RmqCallback>();

  deliver(message: RmqMessage | null, queue = message?.fields.routingKey ?? ''): void {
    this.#consumers.get(queue === OWN_REPLY_QUEUE ? REPLY_QUEUE : queue)?.(message);
  }

  /** A connection of one end. */
  connection(): RmqManager {
    const ignored = (): void => undefined;
    return {
      createChannel: ({ setup }) => {
        void setup(this.#channel());
        return this.#wrapper();
      },
      close: () => Promise.resolve(),
      on: ignored,
      once: ignored,
      addListener: ignored,
      removeListener: ignored,
    };
  }

  #channel(): RmqChannel {
    const ignored = (): void => undefined;
    return {
      assertExchange: ignored,
      assertQueue: ignored,
      bindQueue: ignored,
      prefetch: ignored,
      ack: ignored,
      ackAll: ignored,
      nack: (message, _allUpTo, requeue) => void this.nacked.push([message as RmqMessage, requeue]),
      nackAll: ignored,
      reject: ignored,
      consume: (queue, callback) => void this.#consumers.set(queue, callback),
      on: ignored,
    };
  }

  #wrapper(): RmqChannelWrapper {
    const publish: RmqChannelWrapper['publish'] = (exchange, routingKey, content, options = {}) => {
      const message = { content, fields: { exchange, routingKey }, properties: received(options) };
      this.sent.push(message);
      for (const delivered of this.onSend(message)) this.deliver(delivered);
      return Promise.resolve(true);
    };
    const ignored = (): void => undefined;
    return {
      publish,
      sendToQueue: (queue, ...rest) => publish('', queue, ...rest),
      ack: ignored,
      nack: ignored,
      close: () => Promise.resolve(),
      on: ignored,
    };
  }
}

function received(options: RmqSendOptions): RmqMessage['properties'] {
  return options['replyTo'] === REPLY_QUEUE ? { ...options, replyTo: OWN_REPLY_QUEUE } : options;
}
