import type { SecretKey } from '@sealwire/crypto';

import { CallTrace } from '../call-trace.js';
import type { Seals } from '../seal/seals.js';
import type { RmqChannelWrapper, RmqDone, RmqSendOptions } from './rmq-library.js';
import { innerParts, outerOptions } from './rmq-properties.js';
import { DEFAULT_EXCHANGE, subjectOf } from './rmq-subject.js';

/** Called before a request is sent, with the key that seals it: undefined for a plain one. */
export type OnRequest = (correlationId: string, key: SecretKey | undefined) => void;

/** The channel with which Nest sends: everything is sealed when it is called, also while there is no connection. */
export class SealedSender {
  /** The channel of the client library, which seals nothing. */
  readonly unsealed: RmqChannelWrapper;
  protected readonly seals: Seals;
  readonly #onRequest: OnRequest;

  constructor(unsealed: RmqChannelWrapper, seals: Seals, onRequest: OnRequest = () => undefined) {
    this.unsealed = unsealed;
    this.seals = seals;
    this.#onRequest = onRequest;
  }

  /**
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER` - the names are too long; `ERR_ENVELOPE_TOO_LARGE`
   */
  publish(exchange: string, routingKey: string, content: Buffer, options?: RmqSendOptions, done?: RmqDone) {
    const message = this.#seal(exchange, routingKey, content, options);
    return this.unsealed.publish(exchange, routingKey, message.content, message.options, done);
  }

  /** Publishes as {@link publish} does, to the exchange without a name. */
  sendToQueue(queue: string, content: Buffer, options?: RmqSendOptions, done?: RmqDone): Promise<boolean> {
    const message = this.#seal(DEFAULT_EXCHANGE, queue, content, options);
    return this.unsealed.sendToQueue(queue, message.content, message.options, done);
  }

  ack(...args: unknown[]): void {
    this.unsealed.ack(...args);
  }

  nack(...args: unknown[]): void {
    this.unsealed.nack(...args);
  }

  close(): Promise<void> {
    return this.unsealed.close();
  }

  #seal(exchange: string, routingKey: string, content: Buffer, options: RmqSendOptions = {}): Sealed {
    const { replyTo, correlationId } = options;
    const isRequest = typeof replyTo === 'string' && typeof correlationId === 'string';
    const key = this.seals.settings.isSealing ? this.seals.primary : undefined;
    if (isRequest) this.#onRequest(correlationId, key);
    if (key === undefined) return { content, options };
    const sent = { ...options, headers: CallTrace.current?.withAttached(options.headers) ?? options.headers };
    const head = { ...innerParts(sent), ...(isRequest && { reply: correlationId }) };
    const envelope = this.seals.seal(subjectOf({ exchange, routingKey }), head, content, key);
    const outer = outerOptions(sent, this.seals.settings.openHeaders);
    return {
      content: Buffer.from(envelope, 'latin1'),
      options: { ...outer, ...(isRequest && { replyTo, correlationId }) },
    };
  }
}

interface Sealed {
  readonly content: Buffer;
  readonly options: RmqSendOptions;
}
