import { BaseRpcContext } from '@nestjs/microservices';
import { brand } from '@sealwire/channel/internal';

import { ownCopy } from '../../packet/own-copy.js';

export interface LegacyOrigin {
  readonly pattern: string;
  readonly address: string | undefined;
  readonly keyId: string;
  readonly ciphertext: Buffer;
}

/**
 * What a handler can learn about a message of the legacy wire. Who gets one deals with a message that nobody has
 * authenticated: anybody can have altered it, or sent it again.
 */
export class LegacyRawContext extends BaseRpcContext<[origin: LegacyOrigin]> {
  static {
    brand(this, 'LegacyRawContext');
  }

  readonly #cancellation = new AbortController();

  constructor(origin: LegacyOrigin) {
    super([origin]);
  }

  /** The pattern that the server was told to use: the wire carries none. */
  getPattern(): string {
    return this.args[0].pattern;
  }

  /** `address:port` that the connection came from. */
  getRemoteAddress(): string | undefined {
    return this.args[0].address;
  }

  /** The id of the legacy key: 16 hexadecimal digits. */
  getKeyId(): string {
    return this.args[0].keyId;
  }

  /** The message as it was received, still encrypted. */
  getCiphertext(): Buffer {
    return ownCopy(this.args[0].ciphertext);
  }

  /** Fires when the server has closed and waits no longer. */
  getSignal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** @internal For the transport alone. */
  cancel(): void {
    this.#cancellation.abort();
  }
}
