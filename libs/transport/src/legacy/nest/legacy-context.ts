import { BaseRpcContext } from '@nestjs/microservices';
import { brand } from '@sealwire/crypto/internal';

import { ownCopy } from '../../packet/own-copy.js';

/** The sender and the sealed bytes of a message on the legacy wire. */
export interface LegacyOrigin {
  readonly pattern: string;
  readonly address: string | undefined;
  readonly keyId: string;
  readonly ciphertext: Buffer;
}

/**
 * The context of a message of the legacy wire. Such a message is not authenticated: anyone may have altered or replayed
 * it.
 */
export class LegacyContext extends BaseRpcContext<[origin: LegacyOrigin]> {
  static {
    brand(this, 'transport/LegacyContext');
  }

  readonly #cancellation = new AbortController();

  constructor(origin: LegacyOrigin) {
    super([origin]);
  }

  /** Returns the pattern of the server's options, because the wire carries none. */
  getPattern(): string {
    return this.args[0].pattern;
  }

  /** Returns `address:port` of the sender. */
  getRemoteAddress(): string | undefined {
    return this.args[0].address;
  }

  /** Returns the id of the legacy key: 16 hexadecimal digits. */
  getKeyId(): string {
    return this.args[0].keyId;
  }

  /** Returns the message as it was received, still encrypted. */
  getCiphertext(): Buffer {
    return ownCopy(this.args[0].ciphertext);
  }

  /** Returns a signal that fires when the server is closed and the drain has timed out. */
  getSignal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** @internal Called by the transport only. */
  cancel(): void {
    this.#cancellation.abort();
  }
}
