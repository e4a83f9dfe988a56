import type { SecretKey } from '@sealwire/crypto';

import type { AnswerPlace, InnerHead } from '../seal/inner-message.js';
import type { Seals } from '../seal/seals.js';
import { headerEntries, isOfBroker, outerHeaders } from './nats-library.js';
import type { NatsConnection, NatsHeaders, NatsPublishOptions } from './nats-library.js';

/** The parts of a message beside its data. */
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
   * Seals a message and sends it. Subjects of the broker's own services (`$JS.`, `$KV.`, `$SYS.`) are sent as they are.
   *
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER` - the subject is too long.
   */
  publish(subject: string, data: Uint8Array | string = '', options: NatsPublishOptions = {}): void {
    if (!this.seals.settings.isSealing || isOfBroker(subject)) {
      this.unsealed.publish(subject, data, options);
      return;
    }
    const key = this.seals.primary;
    this.onSealed(options.reply, key);
    const { headers, reply } = options;
    const envelope = this.seals.seal(subject, headOf({ headers, reply }), bytesOf(data), key);
    this.unsealed.publish(subject, envelope, this.outerOptions(options));
  }

  status(): AsyncIterable<unknown> {
    return this.unsealed.status();
  }

  close(): Promise<void> {
    return this.unsealed.close();
  }

  /** Called before a message is sent, with the key that seals it. */
  protected abstract onSealed(reply: string | undefined, key: SecretKey): void;

  /** The options as the broker sees them. */
  outerOptions({ headers, reply }: NatsPublishOptions): NatsPublishOptions {
    const outer = headers && outerHeaders(headers, this.seals.settings.openHeaders);
    return { ...(outer !== undefined && { headers: outer }), ...(reply !== undefined && { reply }) };
  }
}

/** The sealed part of a message beside its data. */
export function headOf({ headers, reply, answer }: Sending): InnerHead {
  return { headers: headers && headerEntries(headers), reply, answer };
}

export function bytesOf(data: Uint8Array | string = ''): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data;
}
