import type { AsyncLocalStorage } from 'node:async_hooks';

import { passOn } from '../handler/passed-on.js';
import type { SealedCall, SealedCalls } from '../handler/sealed-calls.js';
import { Claims, groupOf } from '../seal/claims.js';
import type { SealedMessage, Seals } from '../seal/seals.js';
import { AnsweringSender } from './answering-sender.js';
import type { RmqRequest } from './answering-sender.js';
import { openedMessage } from './opened-message.js';
import type { RmqChannelWrapper, RmqMessage } from './rmq-library.js';
import { subjectOf } from './rmq-subject.js';
import { drop, SealedConnection } from './sealed-connection.js';
import type { Consumer, SealedConnectionOptions } from './sealed-connection.js';
import type { SealedSender } from './sealed-sender.js';

export interface ServerConnectionOptions extends SealedConnectionOptions {
  readonly calls: SealedCalls;
  /** Has the message that Nest answers. */
  readonly answering: AsyncLocalStorage<unknown>;
  /** Whether the queue keeps messages until they are acknowledged. */
  readonly isDurable: boolean;
}

/** The connection of a server. A message that does not open never reaches Nest, except a plain one in `open-only`. */
export class SealedRmqServerConnection extends SealedConnection {
  readonly #calls: SealedCalls;
  readonly #answering: AsyncLocalStorage<unknown>;
  readonly #requests = new WeakMap<object, RmqRequest>();
  readonly #claims: Claims | undefined;
  /** One for all channels: a broker that ends the connection does not get a new window. */
  readonly #open: ReturnType<Seals['opener']>;

  constructor({ calls, answering, isDurable, ...options }: ServerConnectionOptions) {
    super(options);
    const { replayStore, maxAgeMs } = this.seals.settings;
    this.#calls = calls;
    this.#answering = answering;
    this.#open = this.seals.opener(isDurable ? 'durable' : 'window');
    if (!isDurable) this.#claims = replayStore && new Claims(replayStore, maxAgeMs, this.onFailed);
  }

  protected override wrap(unsealed: RmqChannelWrapper): SealedSender {
    const { seals, onFailed } = this;
    return new AnsweringSender({ unsealed, seals, onFailed, requests: this.#requests, answering: this.#answering });
  }

  protected override receive(consumer: Consumer, message: RmqMessage | null): void {
    if (message === null) {
      passOn(() => consumer.callback(message), this.onFailed);
      return;
    }
    const arrivedAt = subjectOf(message.fields);
    const expected = this.seals.settings.bind === 'subject' ? arrivedAt : undefined;
    const received = this.#open(arrivedAt, expected, message.content);
    if (received.kind === 'plain') passOn(() => consumer.callback(message), this.onFailed);
    else if (received.kind === 'refused') this.#drop(consumer, message);
    else this.#check(consumer, message, received);
  }

  #check(consumer: Consumer, message: RmqMessage, sealed: SealedMessage): void {
    const opened = openedMessage(message, sealed);
    if (typeof opened === 'string') {
      this.seals.refuse(opened, sealed.subject, sealed.key);
      this.#drop(consumer, message);
    } else if (this.#claims === undefined) {
      this.#pass(consumer, opened, sealed);
    } else {
      void this.#claim(this.#claims, consumer, opened, sealed).catch(this.onFailed);
    }
  }

  async #claim(claims: Claims, consumer: Consumer, opened: RmqMessage, sealed: SealedMessage): Promise<void> {
    const { queue } = consumer;
    const claim = await claims.claim(queue, `${sealed.id}.${groupOf(queue)}`, sealed.envelope.length);
    if (claim === 'first') {
      this.#pass(consumer, opened, sealed);
      return;
    }
    this.seals.refuse(claim === 'again' ? 'replay' : claim, sealed.subject, sealed.key);
    if (claim === 'again') this.#drop(consumer, opened);
    else this.#pass(consumer, opened, sealed, claim); // its caller gets an error
  }

  #pass(consumer: Consumer, opened: RmqMessage, sealed: SealedMessage, refusal?: SealedCall['refusal']): void {
    const { head, key, id, envelope } = sealed;
    const { reply } = head;
    if (reply !== undefined) this.#requests.set(opened, { key, correlationId: reply });
    const call: SealedCall = {
      key,
      id,
      envelope,
      pattern: undefined, // sealed in the payload, which Nest has not read yet
      destination: consumer.queue,
      headers: head.headers,
      isRequest: reply !== undefined,
      refusal,
      drop: () => this.#drop(consumer, opened),
    };
    this.#calls.run(call, () => passOn(() => consumer.callback(opened), this.onFailed));
  }

  #drop(consumer: Consumer, message: RmqMessage): void {
    if (!consumer.noAck) drop(consumer, message, this.onFailed);
  }
}
