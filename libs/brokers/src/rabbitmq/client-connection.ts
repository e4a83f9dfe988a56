import { passOn } from '../handler/passed-on.js';
import type { AwaitedAnswers } from '../seal/awaited-answers.js';
import type { Seals } from '../seal/seals.js';
import { bufferOf } from './opened-message.js';
import type { RmqChannelWrapper, RmqMessage } from './rmq-library.js';
import { innerProperties } from './rmq-properties.js';
import { answerSubject } from './rmq-subject.js';
import { drop, SealedConnection } from './sealed-connection.js';
import type { Consumer, SealedConnectionOptions } from './sealed-connection.js';
import { SealedSender } from './sealed-sender.js';

export interface ClientConnectionOptions extends SealedConnectionOptions {
  readonly awaited: AwaitedAnswers;
  /** Called if a value of an answer is missing. */
  readonly onIncomplete: (correlationId: string) => void;
}

/** The connection of a client, which has one queue for the answers to all its requests. */
export class SealedRmqClientConnection extends SealedConnection {
  readonly #awaited: AwaitedAnswers;
  readonly #onIncomplete: (correlationId: string) => void;
  /** Any answer but the next value is refused, so no window is needed. */
  readonly #open: ReturnType<Seals['opener']>;

  constructor({ awaited, onIncomplete, ...options }: ClientConnectionOptions) {
    super(options);
    this.#awaited = awaited;
    this.#onIncomplete = onIncomplete;
    this.#open = this.seals.opener('off');
  }

  protected override wrap(unsealed: RmqChannelWrapper): SealedSender {
    return new SealedSender(unsealed, this.seals, (correlationId, key) => this.#awaited.add(correlationId, key?.id));
  }

  protected override receive(consumer: Consumer, message: RmqMessage | null): void {
    if (message === null) {
      this.onFailed(`The broker has cancelled the consumer of the answer queue ${JSON.stringify(consumer.queue)}`);
      return;
    }
    const { correlationId } = message.properties;
    const id = typeof correlationId === 'string' ? correlationId : '';
    const opened = this.#opened(id, message);
    if (opened !== undefined) passOn(() => consumer.callback(opened), this.onFailed);
    else if (!consumer.noAck) drop(consumer, message, this.onFailed);
  }

  /** Returns what Nest gets, if anything. */
  #opened(id: string, message: RmqMessage): RmqMessage | undefined {
    const subject = answerSubject(id);
    const received = this.#open(subject, subject, message.content);
    if (received.kind === 'plain') return this.#awaited.has(id) ? message : undefined;
    if (received.kind === 'refused') return undefined;
    const { head, payload, key } = received;
    const properties = innerProperties(head, message.properties);
    if (head.answer === undefined || properties === undefined) {
      this.seals.refuse('form', subject, key);
      return undefined;
    }
    const place = this.#awaited.take(id, key.id, head.answer);
    if (place === 'next') return { ...message, content: bufferOf(payload), properties };
    if (place === 'unknown') return undefined; // its caller has not waited for the end
    this.seals.refuse(place === 'key' ? 'key' : 'order', subject, key);
    if (place === 'gap') this.#onIncomplete(id);
    return undefined;
  }
}
