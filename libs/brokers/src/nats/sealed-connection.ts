import { TransportError } from '@sealwire/channel';
import type { SecretKey } from '@sealwire/crypto';

import { BrokerError } from '../errors.js';
import type { AnswerPlace, InnerHead } from '../seal/inner-message.js';
import type { Seals } from '../seal/seals.js';
import { headerEntries, isOfBroker, isSubject, outerHeaders } from './nats-library.js';
import type { NatsConnection, NatsHeaders, NatsPublishOptions } from './nats-library.js';

/** The parts of a message other than its data. */
export interface Sending {
  readonly headers: NatsHeaders | undefined;
  readonly reply?: string | undefined;
  readonly answer?: AnswerPlace;
}

/** The part of a connection to NATS that Nest uses. It seals all that it publishes. */
export abstract class SealedConnection {
  /** The connection of the client library, which seals nothing. */
  readonly unsealed: NatsConnection;
  protected readonly seals: Seals;

  constructor(unsealed: NatsConnection, seals: Seals) {
    this.unsealed = unsealed;
    this.seals = seals;
  }

  /**
   * Seals a message and sends it. Messages to the broker's own services (`$JS.`, `$KV.`, `$SYS.`) are sent unsealed.
   *
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER` - the subject is too long.
   * @throws {BrokerError} `ERR_SUBJECT` - the subject is empty, or contains a space or a control character.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` - the broker does not take an envelope of this size.
   */
  publish(subject: string, data: Uint8Array | string = '', options: NatsPublishOptions = {}): void {
    if (!isSubject(subject)) throw badSubject(subject);
    if (!this.seals.settings.isSealing || isOfBroker(subject)) {
      this.unsealed.publish(subject, data, options);
      return;
    }
    const key = this.seals.primary;
    this.onSealed(options.reply, key);
    const { headers, reply } = options;
    const envelope = this.seals.seal(subject, headOf({ headers, reply }), data, key);
    this.#checkSize(envelope, data);
    this.unsealed.publish(subject, envelope, this.outerOptions(options));
  }

  /** Returns the status events of the connection of the NATS library. */
  status(): AsyncIterable<unknown> {
    return this.unsealed.status();
  }

  /** Resolves with the round trip to the broker, in milliseconds. */
  rtt(): Promise<number> {
    return this.unsealed.rtt();
  }

  /** Resolves when the broker has everything that was sent before. */
  flush(): Promise<void> {
    return this.unsealed.flush();
  }

  /** Closes the connection after the messages that have arrived have been handled. */
  drain(): Promise<void> {
    return this.unsealed.drain();
  }

  /** Closes the connection of the NATS library. */
  close(): Promise<void> {
    return this.unsealed.close();
  }

  /** Called before a message is sent, with the key that seals it. */
  protected abstract onSealed(reply: string | undefined, key: SecretKey): void;

  #checkSize({ length: bytes }: string, data: Uint8Array | string): void {
    const maxBytes = this.unsealed.info?.max_payload;
    if (maxBytes === undefined || bytes <= maxBytes) return;
    const sizes = `A message of ${Buffer.byteLength(data)} bytes makes an envelope of ${bytes} bytes`;
    const message = `${sizes}; this broker takes at most ${maxBytes}: send less, or raise its max_payload`;
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', message, { sent: false });
  }

  /** Returns the options as the broker sees them. */
  outerOptions({ headers, reply }: NatsPublishOptions): NatsPublishOptions {
    const outer = headers && outerHeaders(headers, this.seals.settings.openHeaders);
    return { ...(outer !== undefined && { headers: outer }), ...(reply !== undefined && { reply }) };
  }
}

/** Returns the sealed parts of a message other than its data. */
export function headOf({ headers, reply, answer }: Sending): InnerHead {
  return { headers: headers && headerEntries(headers), reply, answer };
}

function badSubject(subject: string): BrokerError {
  const expected = 'expected a non-empty name without spaces or control characters';
  return new BrokerError('ERR_SUBJECT', `Invalid subject ${JSON.stringify(subject)}: ${expected}`);
}
