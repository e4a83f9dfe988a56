import type { LoggerService } from '@nestjs/common';
import { ChannelKeys } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';

import type { RefusedMessage } from '../diagnostics.js';
import { Refusals } from './refusals.js';
import { resolveSealOptions } from './seal-options.js';
import type { SealOptions, SealSettings } from './seal-options.js';
import { Seals } from './seals.js';

export interface SessionOptions {
  /** The scheme of the transport, which begins every subject. */
  readonly scheme: string;
  readonly side: RefusedMessage['side'];
  readonly seal: SealOptions;
  readonly logger: Pick<LoggerService, 'log' | 'warn'>;
}

/** The keys and the refusals of one end, which outlive its connections. */
export class SealedSession {
  readonly refusals: Refusals;
  readonly #scheme: string;
  readonly #settings: SealSettings;
  readonly #keys: ChannelKeys;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ scheme, side, seal, logger }: SessionOptions) {
    this.#scheme = scheme;
    this.#settings = resolveSealOptions(seal);
    this.#keys = new ChannelKeys(seal, {
      warn: (message) => void logger.warn(message),
      log: (message) => void logger.log(message),
    });
    this.refusals = new Refusals(side, logger);
  }

  /**
   * Loads the keys, and watches their file until `close`, or until `connect` fails. Rejects with the `CryptoError` of the
   * key file, and with the error of `connect`.
   */
  async open<T>(connect: (seals: Seals) => Promise<T>): Promise<T> {
    const { refusals } = this;
    const keys = await this.#keys.load();
    try {
      return await connect(new Seals({ scheme: this.#scheme, settings: this.#settings, keys, refusals }));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Counts a message that its key may not send. */
  forbid(pattern: string, key: SecretKey): void {
    this.refusals.add('forbidden', `${this.#scheme}:${pattern}`, key.id);
  }

  close(): void {
    this.#keys.detach()();
  }
}
