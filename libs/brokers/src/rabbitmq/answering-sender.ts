import type { AsyncLocalStorage } from 'node:async_hooks';

import type { SecretKey } from '@sealwire/crypto';

import { failedPacket, SealedAnswer } from '../seal/sealed-answer.js';
import type { Seals } from '../seal/seals.js';
import type { RmqChannelWrapper, RmqDone, RmqSendOptions } from './rmq-library.js';
import { innerParts, outerOptions } from './rmq-properties.js';
import { answerSubject } from './rmq-subject.js';
import { SealedSender } from './sealed-sender.js';

/** A sealed request. */
export interface RmqRequest {
  readonly key: SecretKey;
  readonly correlationId: string;
}

export interface AnsweringSenderOptions {
  readonly unsealed: RmqChannelWrapper;
  readonly seals: Seals;
  readonly onFailed: (error: unknown) => void;
  /** By the message that Nest has of it. */
  readonly requests: WeakMap<object, RmqRequest>;
  /** Has the message that Nest answers. */
  readonly answering: AsyncLocalStorage<unknown>;
}

interface Value {
  readonly content: Buffer;
  readonly options: RmqSendOptions;
}

type Respond = (value: Value) => unknown;

/** The channel of a server, which seals an answer with the key of its request. Nest gives it the queue alone. */
export class AnsweringSender extends SealedSender {
  readonly #options: AnsweringSenderOptions;
  readonly #responds = new WeakMap<object, Respond>();

  constructor(options: AnsweringSenderOptions) {
    super(options.unsealed, options.seals);
    this.#options = options;
  }

  /** Sends a message. Never throws and never rejects while Nest answers, because that would end the process. */
  override sendToQueue(queue: string, content: Buffer, options: RmqSendOptions = {}, done?: RmqDone): Promise<boolean> {
    const message = this.#options.answering.getStore();
    if (typeof message !== 'object' || message === null) return super.sendToQueue(queue, content, options, done);
    const respond = this.#respondTo(message, queue);
    respond({ content, options });
    return Promise.resolve(true);
  }

  #respondTo(message: object, queue: string): Respond {
    const known = this.#responds.get(message);
    if (known !== undefined) return known;
    const request = this.#options.requests.get(message);
    const respond = request === undefined ? this.#plainAnswer(queue) : this.#sealedAnswer(queue, request);
    this.#responds.set(message, respond);
    return respond;
  }

  #plainAnswer(queue: string): Respond {
    return ({ content, options }) => this.#send(queue, content, options);
  }

  #sealedAnswer(queue: string, { key, correlationId }: RmqRequest): Respond {
    const { seals, onFailed } = this.#options;
    const answer = new SealedAnswer<Value, void>({
      send: (place, { content, options }) => {
        const head = { ...innerParts(options), answer: place };
        const envelope = seals.seal(answerSubject(correlationId), head, content, key);
        const outer = outerOptions(options, seals.settings.openHeaders);
        this.#send(queue, Buffer.from(envelope, 'latin1'), { ...outer, correlationId });
      },
      failure: { content: failedPacket(), options: {} },
      onFailed,
    });
    return (value) => answer.respond(value);
  }

  /**
   * Sends an answer if it has a queue. Without one, or with one of another type, the client library would fail later.
   */
  #send(queue: unknown, content: Buffer, options: RmqSendOptions): void {
    if (typeof queue === 'string' && queue !== '')
      this.unsealed.sendToQueue(queue, content, options).catch(this.#options.onFailed);
  }
}
