import { wireError } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';
import { randomBytes } from '@sealwire/crypto/internal';

import type { Seals } from '../seal/seals.js';
import type { NatsHeaders } from './nats-library.js';
import { bytesOf, headOf } from './sealed-connection.js';
import type { SealedConnection } from './sealed-connection.js';

const ID_BYTES = 12;

export interface SealedAnswerOptions {
  readonly connection: SealedConnection;
  readonly seals: Seals;
  /** Of the request. */
  readonly key: SecretKey;
  /** Where the client expects the answer. */
  readonly inbox: string;
  /** The name that the broker has for this inbox. */
  readonly reply: string;
  readonly onFailed: (error: unknown) => void;
}

/** The values of one answer. Each is sealed with its number, so that the client notices one that is missing. */
export class SealedAnswer {
  readonly #options: SealedAnswerOptions;
  readonly #id = randomBytes(ID_BYTES).toString('base64url');
  #number = 0;

  constructor(options: SealedAnswerOptions) {
    this.#options = options;
  }

  /** Sends a value. Never throws: if it cannot be sent, the caller gets an error instead. */
  respond(data: Uint8Array | string | undefined, headers: NatsHeaders | undefined): boolean {
    try {
      this.#send(bytesOf(data), headers);
      return true;
    } catch (error) {
      this.#options.onFailed(error);
      return this.#fail();
    }
  }

  #send(data: Uint8Array, headers: NatsHeaders | undefined): void {
    const { connection, seals, key, inbox, reply } = this.#options;
    const answer = { id: this.#id, number: this.#number };
    const envelope = seals.seal(inbox, headOf({ headers, answer }), data, key);
    connection.unsealed.publish(reply, envelope, connection.outerOptions({ headers }));
    this.#number += 1;
  }

  /** The library refuses what the broker would not take. Any other failure also refuses this error. */
  #fail(): boolean {
    const packet = { err: wireError('ERR_MESSAGE_TOO_LARGE'), isDisposed: true };
    try {
      this.#send(Buffer.from(JSON.stringify(packet)), undefined);
      return true;
    } catch {
      return false; // the connection is closed
    }
  }
}
