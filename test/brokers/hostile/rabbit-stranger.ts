import { connect } from 'amqplib';
import type { Channel, ConsumeMessage } from 'amqplib';

/** A client of RabbitMQ with every right and without the key, between a client and the queue of its server. */
export class RabbitStranger {
  /** All that it has received. */
  readonly seen: ConsumeMessage[] = [];
  readonly #channel: Channel;
  readonly #queue: string;
  readonly #answers: string;
  readonly #end: () => Promise<void>;

  private constructor(channel: Channel, queue: string, answers: string, end: () => Promise<void>) {
    this.#channel = channel;
    this.#queue = queue;
    this.#answers = answers;
    this.#end = end;
  }

  static async connect(url: string, queue: string): Promise<RabbitStranger> {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    const { queue: answers } = await channel.assertQueue('', { exclusive: true });
    return new RabbitStranger(channel, queue, answers, () => connection.close());
  }

  /** Takes the messages of the queue before the server gets one, until the returned function is called. */
  async intercept(): Promise<() => Promise<void>> {
    const { consumerTag } = await this.#consume(this.#queue, 10);
    return async () => void (await this.#channel.cancel(consumerTag));
  }

  /** Takes the answers to messages that {@link send} gets with `isAnsweredHere`. */
  async receiveAnswers(): Promise<void> {
    await this.#consume(this.#answers, 0);
  }

  /** Sends a message that it has received, or what `changes` makes of it. */
  send(message: ConsumeMessage, { isAnsweredHere = false, queue = this.#queue, ...changes }: Changes = {}): void {
    const { correlationId, replyTo, ...properties } = { ...message.properties, ...changes.properties };
    const options = { ...properties, correlationId, replyTo: isAnsweredHere ? this.#answers : replyTo } as object;
    this.#channel.sendToQueue(queue, changes.content ?? message.content, options);
  }

  close(): Promise<void> {
    return this.#end();
  }

  #consume(queue: string, priority: number) {
    const take = (message: ConsumeMessage | null): void => void (message !== null && this.seen.push(message));
    return this.#channel.consume(queue, take, { noAck: true, priority });
  }
}

interface Changes {
  readonly isAnsweredHere?: boolean;
  readonly queue?: string;
  readonly content?: Buffer;
  readonly properties?: Readonly<Record<string, unknown>>;
}
